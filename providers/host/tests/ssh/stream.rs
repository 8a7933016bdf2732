//! Commands: what goes in, what comes out, how they end.

use std::sync::Arc;

use clawd_provider::Stream;
use clawd_provider_host::{Captured, Exit, Receive, Request, SshOptions, SshPool, Transport, TransportError};
use futures::future::join_all;

use super::sshd::{Sshd, signal, until};

fn sh(script: &str, stdin: &[u8]) -> Request {
    Request {
        argv: ["sh", "-c", script].map(str::to_owned).to_vec(),
        stdin: stdin.to_vec(),
        root: false,
    }
}

fn transport(sshd: &Sshd) -> Arc<dyn Transport> {
    sshd.transport(&SshPool::new(SshOptions::default()), "user")
        .unwrap()
}

#[tokio::test]
async fn streams_and_ends_are_kept_apart() {
    let sshd = Sshd::start();
    let transport = transport(&sshd);
    let mut captured = Captured::up_to(1000);
    let exit = transport
        .exec(&sh("cat; echo bad >&2; exit 7", b"good"), &mut captured)
        .await;
    assert_eq!(exit, Ok(Exit::Code(7)));
    assert_eq!(captured.stdout, b"good");
    assert_eq!(captured.stderr, b"bad\n");
    let mut captured = Captured::up_to(1000);
    let exit = transport.exec(&sh("kill -9 $$", b""), &mut captured).await;
    assert_eq!(exit, Ok(Exit::Signal("KILL".to_owned())));
}

#[tokio::test]
async fn much_goes_in_and_out() {
    let sshd = Sshd::start();
    let transport = transport(&sshd);
    let stdin: Vec<u8> = (0..2_000_000_u32).map(|n| (n % 251) as u8).collect();
    let mut captured = Captured::up_to(3_000_000);
    let exit = transport.exec(&sh("cat", &stdin), &mut captured).await;
    assert_eq!(exit, Ok(Exit::Code(0)));
    assert!(captured.stdout == stdin, "{} bytes", captured.stdout.len());
    struct Count(usize);
    impl Receive for Count {
        fn take(&mut self, _: Stream, bytes: &[u8]) -> bool {
            self.0 += bytes.len();
            true
        }
    }
    let mut count = Count(0);
    let exit = transport
        .exec(&sh("head -c 20000000 /dev/zero", b"not read"), &mut count)
        .await;
    assert_eq!((exit, count.0), (Ok(Exit::Code(0)), 20_000_000));
}

#[tokio::test]
async fn a_host_that_sends_without_end_is_cut_off_and_may_go_on() {
    let sshd = Sshd::start();
    let transport = transport(&sshd);
    // More of them than a connection has channels: each gives its room back.
    for _ in 0..12 {
        let exit = transport
            .exec(&sh("yes", b""), &mut Captured::up_to(100_000))
            .await;
        assert_eq!(exit, Err(TransportError::TooMuch));
    }
    let exit = transport.exec(&sh("exit 3", b""), &mut Captured::up_to(10)).await;
    assert_eq!(exit, Ok(Exit::Code(3)));
}

#[tokio::test]
async fn many_commands_at_once_share_few_connections() {
    share("MaxSessions 10").await;
}

#[tokio::test]
async fn a_host_may_allow_few_sessions() {
    share("MaxSessions 2").await;
    share("MaxSessions 1").await;
}

async fn share(config: &str) {
    let sshd = Sshd::start_with(config);
    let transport = transport(&sshd);
    let all = join_all((0..40).map(|n| {
        let transport = transport.clone();
        async move {
            let mut captured = Captured::up_to(100);
            let exit = transport
                .exec(&sh(&format!("echo {n}; sleep 0.1"), b""), &mut captured)
                .await;
            assert_eq!(captured.stdout, format!("{n}\n").as_bytes());
            exit
        }
    }))
    .await;
    assert!(all.iter().all(|exit| *exit == Ok(Exit::Code(0))), "{all:?}");
    let connections = sshd.log().matches("Accepted publickey").count();
    assert!(connections <= 4, "{connections}");
}

#[tokio::test]
async fn a_lost_connection_is_no_exit_status_and_the_next_command_works() {
    let sshd = Sshd::start();
    let transport = transport(&sshd);
    let started = sshd.path("started");
    let script = format!("touch {started}; sleep 600 & echo $! >{started}; wait");
    let mut captured = Captured::up_to(1000);
    let request = sh(&script, b"");
    let command = transport.exec(&request, &mut captured);
    let cut = async {
        until("it runs", || {
            std::fs::read_to_string(&started).is_ok_and(|text| text.ends_with('\n'))
        })
        .await;
        assert!(sshd.cut() > 0);
    };
    let (exit, ()) = tokio::join!(command, cut);
    assert!(matches!(exit, Err(TransportError::Lost(_))), "{exit:?}");
    let exit = transport.exec(&sh("exit 4", b""), &mut Captured::up_to(10)).await;
    assert_eq!(exit, Ok(Exit::Code(4)));
    let pid = std::fs::read_to_string(&started).unwrap();
    super::sshd::run("kill", &[pid.trim()]);
}

#[tokio::test]
async fn a_connection_that_is_slow_is_left_to_those_who_use_it() {
    let sshd = Sshd::start();
    let options = SshOptions {
        channel_timeout: std::time::Duration::from_millis(300),
        ..SshOptions::default()
    };
    let transport = sshd.transport(&SshPool::new(options), "user").unwrap();
    let (started, go) = (sshd.path("started"), sshd.path("go"));
    let script = format!("touch {started}; until [ -e {go} ]; do sleep 0.05; done; echo done; exit 6");
    let (request, mut captured) = (sh(&script, b""), Captured::up_to(1000));
    let running = transport.exec(&request, &mut captured);
    let another = async {
        until("it runs", || std::path::Path::new(&started).exists()).await;
        let slow = sshd.connections();
        assert!(signal(&slow, "STOP") > 0);
        let exit = transport.exec(&sh("exit 4", b""), &mut Captured::up_to(10)).await;
        signal(&slow, "CONT");
        assert_eq!(exit, Ok(Exit::Code(4)), "over a connection of its own");
        std::fs::write(&go, "").unwrap();
        slow
    };
    let (exit, slow) = tokio::join!(running, another);
    assert_eq!(exit, Ok(Exit::Code(6)));
    assert_eq!(captured.stdout, b"done\n");
    until("the slow one ends with its last user", || {
        !sshd.connections().iter().any(|pid| slow.contains(pid))
    })
    .await;
}

#[tokio::test]
async fn unused_connections_are_closed() {
    let sshd = Sshd::start();
    let options = SshOptions {
        idle: std::time::Duration::from_millis(200),
        ..SshOptions::default()
    };
    let transport = sshd.transport(&SshPool::new(options), "user").unwrap();
    transport
        .exec(&sh("true", b""), &mut Captured::up_to(10))
        .await
        .unwrap();
    until("it is closed", || sshd.log().contains("Received disconnect")).await;
    let exit = transport.exec(&sh("exit 5", b""), &mut Captured::up_to(10)).await;
    assert_eq!(exit, Ok(Exit::Code(5)));
}

#[tokio::test]
async fn hard_arguments_arrive_as_they_were() {
    let sshd = Sshd::start();
    let hard = ["a b", "", "'", "\\", "$HOME", "`id`", "x\ny", "ä", "-n"];
    let argv = ["printf", "<%s>"].into_iter().chain(hard);
    let request = Request {
        argv: argv.map(str::to_owned).collect(),
        ..Request::default()
    };
    let mut captured = Captured::up_to(1000);
    transport(&sshd).exec(&request, &mut captured).await.unwrap();
    let expected: String = hard.iter().map(|word| format!("<{word}>")).collect();
    assert_eq!(String::from_utf8(captured.stdout).unwrap(), expected);
}
