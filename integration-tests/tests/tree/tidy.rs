//! What the tree says about itself: module docs, lengths, words.

use std::path::{Path, PathBuf};

use clawd_integration_tests::workspace;

fn files(dir: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a folder of the workspace") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            if !["target", "node_modules", ".git", "clawd-data"].contains(&name.as_str()) {
                files(&path, ending, found);
            }
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
}

fn rust_files() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    files(&workspace(), ".rs", &mut found);
    assert!(found.len() > 100, "the workspace was found");
    found
        .into_iter()
        .map(|path| {
            (
                path.clone(),
                std::fs::read_to_string(path).expect("a source file"),
            )
        })
        .collect()
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<PathBuf> = rust_files()
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//!"))
        .map(|(path, _)| path)
        .collect();
    assert!(silent.is_empty(), "files without a module doc: {silent:#?}");
}

#[test]
fn no_file_is_longer_than_600_lines() {
    let long: Vec<(usize, PathBuf)> = rust_files()
        .into_iter()
        .map(|(path, text)| (text.lines().count(), path))
        .filter(|(lines, _)| *lines > 600)
        .collect();
    assert!(long.is_empty(), "too long: {long:#?}");
}

#[test]
fn no_test_sleeps_or_is_ignored() {
    let own = Path::new(file!()).file_name();
    let mut wrong = Vec::new();
    for (path, text) in rust_files() {
        if path.file_name() == own {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let is_test =
                path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs");
            let sleeps = is_test && (line.contains("thread::sleep(") || line.contains("time::sleep("));
            if sleeps || line.trim_start().starts_with("#[ignore") {
                wrong.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut documents = Vec::new();
    files(&workspace(), ".md", &mut documents);
    let mut broken = Vec::new();
    for document in documents {
        let text = std::fs::read_to_string(&document).expect("a document");
        for target in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split_once(')'))
            .map(|(target, _)| target)
        {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") || file.starts_with("mailto:") {
                continue;
            }
            if !document.parent().expect("a folder").join(file).exists() {
                broken.push(format!("{} → {target}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Whether a word in backticks is meant as a path of this tree.
fn is_path(name: &str) -> bool {
    const FOLDERS: [&str; 9] = [
        "docs/",
        "engine/",
        "integration-tests/",
        "policies/",
        "providers/",
        "scripts/",
        "tests/",
        "web-ui/",
        "workflows/",
    ];
    // `NAME.rs` in a recipe stands for a name of the reader.
    let is_template = name.contains("NAME") || name.contains("VERB");
    let is_plain = !is_template
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    is_plain && FOLDERS.iter().any(|folder| name.starts_with(folder))
}

#[test]
fn paths_in_documents_exist() {
    let mut documents = Vec::new();
    files(&workspace(), ".md", &mut documents);
    let (mut missing, mut seen) = (Vec::new(), 0);
    for document in documents {
        let text = std::fs::read_to_string(&document).expect("a document");
        for name in text.split('`').skip(1).step_by(2).filter(|name| is_path(name)) {
            seen += 1;
            let beside = document.parent().expect("a folder").join(name);
            if !workspace().join(name).exists() && !beside.exists() {
                missing.push(format!("{}: {name}", document.display()));
            }
        }
    }
    assert!(seen > 40, "the paths were found");
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// Time, files, sockets and chance come in as parameters.
#[test]
fn pure_crates_reach_for_nothing() {
    const IMPURE: [&str; 7] = [
        "std::fs",
        "std::net",
        "std::process",
        "std::env",
        "std::thread",
        "SystemTime::now",
        "Instant::now",
    ];
    let folders = [
        "engine/model",
        "engine/scheduler",
        "engine/audit",
        "policies",
        "workflows",
    ]
    .map(|folder| workspace().join(folder).join("src"));
    let mut wrong = Vec::new();
    for (path, text) in rust_files() {
        let is_test = path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs");
        if is_test || !folders.iter().any(|folder| path.starts_with(folder)) {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in lines.filter(|line| IMPURE.iter().any(|word| line.contains(word))) {
            wrong.push(format!("{}: {}", path.display(), line.trim()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What users see of the product's name comes from `engine/model/src/product.rs`, at least in the binary. Names of metrics
/// are the exception: dashboards stand on them.
#[test]
fn the_binary_takes_its_name_from_one_place() {
    let mut wrong = Vec::new();
    for (path, text) in rust_files() {
        let is_excepted = path.ends_with("reference.rs") || path.ends_with("http.rs");
        if !path.starts_with(workspace().join("engine/clawd/src")) || is_excepted {
            continue;
        }
        let shipped = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        for (number, line) in shipped.lines().enumerate() {
            let is_comment = line.trim_start().starts_with("//");
            // The texts of a line: every other piece between its quotes.
            let mut texts = line.split('"').skip(1).step_by(2);
            if !is_comment && texts.any(|text| text.to_lowercase().contains("clawd")) {
                wrong.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "use `product::BINARY`, `binary!` or `env_name!`:\n{}",
        wrong.join("\n")
    );
}
