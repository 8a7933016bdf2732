//! The files that pages refer to, embedded in the binary. Their addresses carry their digest, so that browsers may
//! keep them for ever and never show a mix of two versions.

use std::sync::LazyLock;

use clawd_model::Digest;

/// One file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asset {
    /// The name that templates use.
    pub(crate) name: &'static str,
    /// What it is.
    pub(crate) content_type: &'static str,
    /// Its content.
    pub(crate) bytes: &'static [u8],
}

const STYLE: &str = concat!(
    include_str!("../assets/css/tokens.css"),
    include_str!("../assets/css/base.css"),
    include_str!("../assets/css/layout.css"),
    include_str!("../assets/css/pieces.css"),
    include_str!("../assets/css/pages.css"),
    include_str!("../assets/css/run.css"),
);

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// All files.
pub(crate) const ALL: [Asset; 5] = [
    Asset {
        name: "console.css",
        content_type: "text/css; charset=utf-8",
        bytes: STYLE.as_bytes(),
    },
    Asset {
        name: "console.js",
        content_type: SCRIPT,
        bytes: include_bytes!("../assets/console.js"),
    },
    Asset {
        name: "htmx.js",
        content_type: SCRIPT,
        bytes: include_bytes!("../assets/vendor/htmx.min.js"),
    },
    Asset {
        name: "htmx-sse.js",
        content_type: SCRIPT,
        bytes: include_bytes!("../assets/vendor/hx-sse.min.js"),
    },
    Asset {
        name: "icon.svg",
        content_type: "image/svg+xml",
        bytes: include_bytes!("../assets/icon.svg"),
    },
];

static PATHS: LazyLock<Vec<(&'static str, String)>> = LazyLock::new(|| {
    ALL.iter()
        .map(|asset| {
            let hash = Digest::of(asset.bytes).short();
            let (stem, extension) = asset.name.rsplit_once('.').unwrap_or((asset.name, ""));
            (asset.name, format!("/assets/{stem}.{hash}.{extension}"))
        })
        .collect()
});

/// The address of a file. A name that does not exist gives an address that does not either; a test catches it.
pub(crate) fn url(name: &str) -> &'static str {
    PATHS
        .iter()
        .find(|(known, _)| *known == name)
        .map_or("/assets/missing", |(_, path)| path.as_str())
}

/// The file at an address.
pub(crate) fn at(path: &str) -> Option<&'static Asset> {
    let (name, _) = PATHS.iter().find(|(_, known)| known == path)?;
    ALL.iter().find(|asset| asset.name == *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_found_at_its_address() {
        for asset in &ALL {
            let found = at(url(asset.name)).unwrap();
            assert_eq!(found.name, asset.name);
        }
        assert!(at("/assets/console.css").is_none());
    }

    #[test]
    fn vendored_scripts_are_as_published() {
        let digest = |name: &str| {
            let asset = ALL.iter().find(|asset| asset.name == name).unwrap();
            Digest::of(asset.bytes).to_hex()
        };
        assert_eq!(
            digest("htmx.js"),
            "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"
        );
        assert_eq!(
            digest("htmx-sse.js"),
            "18ef2761356ec1fe0bb6d92612315b37517a7c1e9856b661c5ae81fef239d103"
        );
    }
}
