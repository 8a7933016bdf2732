//! What the guard lets through.

use super::*;

fn verdict(guard: &Guard, address: &str, reach: Reach) -> Result<(), Refused> {
    guard.permits(address.parse().unwrap(), reach)
}

#[test]
fn public_addresses_pass() {
    for address in [
        "1.1.1.1",
        "172.32.0.1",
        "100.128.0.1",
        "2606:4700::1111",
        "64:ff9b::101:101",
    ] {
        assert_eq!(
            verdict(&Guard::default(), address, Reach::Elsewhere),
            Ok(()),
            "{address}"
        );
    }
}

#[test]
fn metadata_and_link_local_never_pass() {
    let open = Guard::new(["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()]);
    for address in [
        "169.254.169.254",
        "169.254.0.1",
        "168.63.129.16",
        "100.100.100.200",
        "192.0.0.192",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "fe80::1",
        "fd00:ec2::254",
        "::",
        "ff02::1",
        // The same place in other clothes: mapped, compatible, NAT64, 6to4.
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
    ] {
        for reach in [Reach::Elsewhere, Reach::OwnServer] {
            let refused = verdict(&open, address, reach).expect_err(address);
            assert!(!refused.configurable, "{address}");
        }
    }
}

#[test]
fn internal_addresses_pass_for_the_own_server_or_by_configuration() {
    let strict = Guard::default();
    let listed = Guard::new(["10.0.0.0/8".parse().unwrap(), "127.0.0.1".parse().unwrap()]);
    for (address, by_list) in [
        ("127.0.0.1", true),
        ("127.0.0.2", false),
        ("10.1.2.3", true),
        ("::ffff:10.1.2.3", true),
        ("192.168.0.1", false),
        ("172.16.0.1", false),
        ("100.64.0.1", false),
        ("::1", false),
        ("fd12::1", false),
    ] {
        let refused = verdict(&strict, address, Reach::Elsewhere).expect_err(address);
        assert!(refused.configurable, "{address}");
        assert_eq!(verdict(&strict, address, Reach::OwnServer), Ok(()), "{address}");
        assert_eq!(
            verdict(&listed, address, Reach::Elsewhere).is_ok(),
            by_list,
            "{address}"
        );
    }
}

#[tokio::test]
async fn a_host_is_screened_after_it_was_looked_up() {
    let strict = Guard::default();
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        let error = strict.resolve(host, 80, Reach::Elsewhere).await.unwrap_err();
        assert!(matches!(error, ResolveError::Refused(_)), "{host}: {error}");
        let found = strict.resolve(host, 80, Reach::OwnServer).await.unwrap();
        assert!(
            found
                .iter()
                .all(|address| address.port() == 80 && address.ip().is_loopback())
        );
    }
}

#[test]
fn what_is_refused_is_dropped_from_several() {
    let addresses: Vec<SocketAddr> = ["169.254.169.254:80", "1.1.1.1:80"]
        .map(|a| a.parse().unwrap())
        .into();
    let guard = Guard::default();
    assert_eq!(
        guard
            .screen("both.example", addresses.clone(), Reach::Elsewhere)
            .unwrap(),
        vec!["1.1.1.1:80".parse().unwrap()]
    );
    let only_bad = addresses.into_iter().take(1).collect();
    assert!(matches!(
        guard.screen("bad.example", only_bad, Reach::Elsewhere),
        Err(ResolveError::Refused(_))
    ));
    assert!(matches!(
        guard.screen("none.example", Vec::new(), Reach::Elsewhere),
        Err(ResolveError::Nothing { .. })
    ));
}
