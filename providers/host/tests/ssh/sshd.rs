//! A throw-away sshd on 127.0.0.1, a child of the test, with keys of its own.

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use clawd_model::{
    AttemptId, DurationMs, FixedClock, RunId, SeededEntropy, Server, ServerId, StepError, StepRef, Timestamp,
};
use clawd_provider::{Context, OutputSink, Stream};
use clawd_provider_host::{Hosts, Keys, Reach, SshOptions, SshPool, Transport, TransportError};
use serde_json::json;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A running sshd.
pub(crate) struct Sshd {
    pub(crate) folder: TempDir,
    pub(crate) port: u16,
    child: Child,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.cut();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes a key; gives its path.
pub(crate) fn keygen(folder: &Path, name: &str, kind: &str) -> String {
    let path = folder.join(name);
    let path = path.to_str().unwrap().to_owned();
    run(
        "ssh-keygen",
        &["-q", "-t", kind, "-N", "", "-C", name, "-f", &path],
    );
    path
}

/// Runs a program that must succeed.
pub(crate) fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Who runs the tests: the only user that sshd can sign in if that is not root.
pub(crate) fn me() -> String {
    run("id", &["-un"]).trim().to_owned()
}

impl Sshd {
    /// Starts one that lets the key `user` in, and certificates of the authority `ca`.
    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    pub(crate) fn start_with(more: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let place = folder.path();
        // sshd insists on it when it is root.
        let _ = std::fs::create_dir_all("/run/sshd");
        let host_key = keygen(place, "host", "ed25519");
        let user = keygen(place, "user", "ed25519");
        let ca = keygen(place, "ca", "ed25519");
        std::fs::copy(format!("{user}.pub"), place.join("authorized_keys")).unwrap();
        let config = format!(
            "{more}\nHostKey {host_key}\nPidFile none\nUsePAM no\nStrictModes no\nPermitRootLogin yes\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nLogLevel VERBOSE\n\
             AuthorizedKeysFile {0}/authorized_keys\nTrustedUserCAKeys {ca}.pub\n",
            place.display()
        );
        std::fs::write(place.join("config"), config).unwrap();
        for _ in 0..20 {
            let port = free_port();
            if let Some(child) = spawn(place, port) {
                return Self { folder, port, child };
            }
        }
        panic!(
            "sshd does not start: {}",
            std::fs::read_to_string(place.join("log")).unwrap()
        );
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn host_key(&self) -> String {
        std::fs::read_to_string(self.path("host.pub")).unwrap()
    }

    pub(crate) fn address(&self) -> String {
        format!("{}@127.0.0.1:{}", me(), self.port)
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap()
    }

    /// Ends all connections as a power cut of the network would: what they had started lives on.
    pub(crate) fn cut(&self) -> usize {
        signal(&self.connections(), "KILL")
    }

    /// The processes of sshd itself that serve the connections of now; the commands are further children.
    pub(crate) fn connections(&self) -> Vec<u32> {
        let of = |child| children(child).into_iter().chain([child]);
        let all = children(self.child.id()).into_iter().flat_map(of);
        all.filter(|pid| is_sshd(*pid)).collect()
    }

    pub(crate) fn transport(
        &self,
        pool: &Arc<SshPool>,
        identity: &str,
    ) -> Result<Arc<dyn Transport>, TransportError> {
        let transport = pool.transport(
            self.address().parse().unwrap(),
            Some(&self.host_key()),
            Some(
                self.keys()
                    .of(&"demo".parse().unwrap(), &identity.parse().unwrap()),
            ),
        )?;
        Ok(Arc::new(transport))
    }

    /// Every file of the folder is a key of the tenant `demo`.
    pub(crate) fn keys(&self) -> Keys {
        let granted = self.folder.path().join("keys");
        let _ = std::fs::create_dir(&granted);
        let _ = std::os::unix::fs::symlink(self.folder.path(), granted.join("demo"));
        Keys::new(granted)
    }

    pub(crate) fn server(&self) -> Server {
        serde_json::from_value(json!({
            "id": ServerId::new(Timestamp(1), &SeededEntropy::new(1)), "tenant": "demo", "name": "web-1",
            "provider": "ssh", "address": self.address(), "env": "test", "version": 1,
            "host_key": self.host_key(), "identity": "user",
        }))
        .unwrap()
    }

    /// Hosts whose jobs are in the folder of this sshd.
    pub(crate) fn hosts(&self) -> Arc<Hosts> {
        struct Over(Arc<SshPool>, Keys);
        impl Reach for Over {
            fn transport(&self, server: &Server) -> Result<Arc<dyn Transport>, StepError> {
                let address = server.address.parse().unwrap();
                let key = server
                    .identity
                    .as_ref()
                    .map(|name| self.1.of(&server.tenant, name));
                let transport = self.0.transport(address, server.host_key.as_deref(), key);
                Ok(Arc::new(transport.unwrap()))
            }
        }
        Hosts::over(
            Arc::new(Over(SshPool::new(SshOptions::default()), self.keys())),
            &self.path("jobs"),
        )
    }

    pub(crate) fn context(&self, output: Arc<dyn OutputSink>) -> Context {
        let run = RunId::new(Timestamp(1), &SeededEntropy::new(7));
        let step = StepRef {
            job: 0,
            lane: 0,
            step: 0,
        };
        Context {
            tenant: "demo".parse().unwrap(),
            server: Some(Arc::new(self.server())),
            attempt: Some(AttemptId::derive(&"demo".parse().unwrap(), run, step, 1)),
            epoch: 1,
            timeout: DurationMs::from_secs(120),
            clock: Arc::new(FixedClock::at(Timestamp(1))),
            redactor: clawd_provider::Redactor::default(),
            output,
            cancel: CancellationToken::new(),
        }
    }
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Starts sshd; none when it ended at once, for example because somebody took the port.
fn spawn(place: &Path, port: u16) -> Option<Child> {
    let log = std::fs::File::create(place.join("log")).unwrap();
    let mut child = Command::new("/usr/sbin/sshd")
        .args(["-D", "-e", "-f"])
        .arg(place.join("config"))
        .args(["-o", "ListenAddress=127.0.0.1", "-p", &port.to_string()])
        .stdin(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("openssh-server is installed");
    loop {
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
            std::thread::yield_now();
            continue;
        };
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut banner = [0; 4];
        if stream.read_exact(&mut banner).is_ok() && banner == *b"SSH-" {
            return Some(child);
        }
    }
}

/// Sends a signal; how many of them got it.
pub(crate) fn signal(processes: &[u32], name: &str) -> usize {
    let got = |pid: &&u32| {
        let sent = Command::new("kill")
            .args([format!("-{name}"), pid.to_string()])
            .stderr(Stdio::null())
            .status();
        sent.unwrap().success()
    };
    processes.iter().filter(got).count()
}

fn children(parent: u32) -> Vec<u32> {
    let listed =
        std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    listed
        .split_ascii_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}

fn is_sshd(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim().starts_with("sshd"))
}

/// Keeps standard output.
#[derive(Default)]
pub(crate) struct Sink(std::sync::Mutex<(Vec<u8>, Vec<u8>)>);

impl OutputSink for Sink {
    fn write(&self, stream: Stream, bytes: &[u8]) {
        let mut all = self.0.lock().unwrap();
        match stream {
            Stream::Stdout => all.0.extend_from_slice(bytes),
            Stream::Stderr | Stream::Note => all.1.extend_from_slice(bytes),
        }
    }
}

impl Sink {
    pub(crate) fn stdout(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().0.clone()).unwrap()
    }

    pub(crate) fn rest(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().1.clone()).unwrap()
    }
}

pub(crate) fn set_mode(path: &str, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    for _ in 0..1500 {
        if is_so() {
            return;
        }
        tick.tick().await;
    }
    panic!("it never came to this: {what}");
}
