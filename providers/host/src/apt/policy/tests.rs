//! Against what apt 2.6 of Debian 12 and apt 2.4 of Ubuntu 22.04 print.

use super::*;

const DEBIAN_FILES: &str = "\
Package files:
 100 /var/lib/dpkg/status
     release a=now
 500 http://deb.debian.org/debian-security bookworm-security/main amd64 Packages
     release v=12,o=Debian,a=oldstable-security,n=bookworm-security,l=Debian-Security,c=main,b=amd64
     origin deb.debian.org
 500 http://deb.debian.org/debian bookworm-updates/main amd64 Packages
     release v=12-updates,o=Debian,a=oldstable-updates,n=bookworm-updates,l=Debian,c=main,b=amd64
     origin deb.debian.org
 500 http://deb.debian.org/debian bookworm/main amd64 Packages
     release v=12.15,o=Debian,a=oldstable,n=bookworm,l=Debian,c=main,b=amd64
     origin deb.debian.org
 500 file:/srv/repo lab-updates/main amd64 Packages
     release o=Lab,a=lab-updates,n=lab,l=Lab-Security,c=main,b=amd64
Pinned packages:
     openssl -> 3.0.22-1~deb12u2 with priority 500
";

const DEBIAN: &str = "\
openssl:
  Installed: 3.0.19-1~deb12u2
  Candidate: 3.0.22-1~deb12u2
  Version table:
     3.0.22-1~deb12u2 500
        500 http://deb.debian.org/debian-security bookworm-security/main amd64 Packages
     3.0.20-1~deb12u2 500
        500 http://deb.debian.org/debian bookworm/main amd64 Packages
 *** 3.0.19-1~deb12u2 100
        100 /var/lib/dpkg/status
     3.0.17-1~deb12u2 500
        500 http://deb.debian.org/debian bookworm-updates/main amd64 Packages
libc6:
  Installed: 2.36-9+deb12u14
  Candidate: 2.36-9+deb12u14
  Version table:
 *** 2.36-9+deb12u14 500
        500 http://deb.debian.org/debian bookworm/main amd64 Packages
        100 /var/lib/dpkg/status
     2.36-9+deb12u7 500
        500 http://deb.debian.org/debian-security bookworm-security/main amd64 Packages
bash:
  Installed: 5.2.15-2+b8
  Candidate: 5.2.15-2+b13
  Version table:
     5.2.15-2+b13 500
        500 http://deb.debian.org/debian bookworm/main amd64 Packages
 *** 5.2.15-2+b8 100
        100 /var/lib/dpkg/status
passed-by:
  Installed: 1.0
  Candidate: 1.2
  Version table:
     1.2 500
        500 http://deb.debian.org/debian bookworm-updates/main amd64 Packages
     1.1 500
        500 http://deb.debian.org/debian-security bookworm-security/main amd64 Packages
 *** 1.0 100
        100 /var/lib/dpkg/status
libc6:i386:
  Installed: 2.0
  Candidate: 2.1
  Version table:
     2.1 500
        500 file:/srv/repo lab-updates/main amd64 Packages
 *** 2.0 100
        100 /var/lib/dpkg/status
removed:
  Installed: (none)
  Candidate: 1.0
  Version table:
     1.0 500
        500 http://deb.debian.org/debian bookworm/main amd64 Packages
";

#[test]
fn debian_updates_and_their_sources() {
    let security = SecuritySources::parse(DEBIAN_FILES);
    let updates = updates(DEBIAN, &security).unwrap();
    let seen: Vec<(&str, &str, &str, bool)> = updates
        .iter()
        .map(|update| (&*update.name, &*update.from, &*update.to, update.security))
        .collect();
    assert_eq!(
        seen,
        [
            ("openssl", "3.0.19-1~deb12u2", "3.0.22-1~deb12u2", true),
            ("bash", "5.2.15-2+b8", "5.2.15-2+b13", false),
            ("passed-by", "1.0", "1.2", true),
            ("libc6:i386", "2.0", "2.1", true),
        ]
    );
}

#[test]
fn ubuntu_updates_may_be_phased() {
    let security = SecuritySources::parse(
        "Package files:\n 500 http://security.ubuntu.com/ubuntu jammy-security/main amd64 Packages\n     \
         release v=22.04,o=Ubuntu,a=jammy-security,n=jammy,l=Ubuntu,c=main,b=amd64\n     origin security.ubuntu.com\n",
    );
    let text = "\
base-files:
  Installed: 12ubuntu4.6
  Candidate: 12ubuntu4.7
  Version table:
     12ubuntu4.7 500 (phased 10%)
        500 http://archive.ubuntu.com/ubuntu jammy-updates/main amd64 Packages
 *** 12ubuntu4.6 500
        500 http://security.ubuntu.com/ubuntu jammy-security/main amd64 Packages
        100 /var/lib/dpkg/status
";
    let updates = updates(text, &security).unwrap();
    assert_eq!(updates[0].phased.as_deref(), Some("10%"));
    assert!(!updates[0].security, "what is installed already is no update");
}

#[test]
fn nonsense_is_refused() {
    let security = SecuritySources::default();
    for text in [
        "x",
        "-oDebug=1:\n  Installed: 1\n  Candidate: 2\n",
        "ab:\n  Candidate: 2\n",
        "ab:\n  Installed: 1\n  Candidate: 2;id\n",
    ] {
        assert_eq!(updates(text, &security), None, "{text}");
    }
    assert_eq!(updates("", &security), Some(Vec::new()));
}
