//! A strict reader of our own pages: enough to say that tags are balanced, ids single, and references answered.

use std::collections::BTreeSet;

/// An opening tag.
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
}

impl Tag {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// A form with the names of its fields.
pub(crate) struct Form {
    pub(crate) method: String,
    pub(crate) action: String,
    pub(crate) fields: Vec<String>,
}

enum Piece {
    Open(Tag),
    Close(String),
    Text(String),
}

const VOID: [&str; 5] = ["meta", "link", "input", "br", "hr"];

/// Splits a page into tags and text; complains about what it cannot read.
fn pieces(html: &str) -> Result<Vec<Piece>, String> {
    let mut out = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        if !text.trim().is_empty() {
            out.push(Piece::Text(text.to_owned()));
        }
        let end = tag_end(tag).ok_or_else(|| format!("tag without end: {:.60}", tag))?;
        let (inside, after) = (&tag[1..end], &tag[end + 1..]);
        rest = after;
        if inside.starts_with('!') {
            continue;
        }
        if let Some(name) = inside.strip_prefix('/') {
            out.push(Piece::Close(name.trim().to_owned()));
        } else {
            out.push(Piece::Open(open_tag(inside)?));
        }
    }
    if rest.contains('>') {
        return Err(format!("stray > in {rest:.60}"));
    }
    Ok(out)
}

/// Where a tag ends: the first > outside of quotes.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in tag.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, '>') => return Some(at),
            _ => {}
        }
    }
    None
}

fn open_tag(inside: &str) -> Result<Tag, String> {
    let name_end = inside.find(char::is_whitespace).unwrap_or(inside.len());
    let (name, mut rest) = inside.split_at(name_end);
    let mut attributes: Vec<(String, String)> = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() || rest == "/" {
            break;
        }
        let end = rest
            .find(|c: char| c == '=' || c.is_whitespace())
            .unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        let (value, after) = match after.strip_prefix('=') {
            None => ("", after),
            Some(quoted) => {
                let quote = quoted.chars().next().filter(|c| matches!(c, '"' | '\''));
                let quote = quote.ok_or_else(|| format!("attribute without quotes in <{inside}>"))?;
                quoted[1..]
                    .split_once(quote)
                    .ok_or_else(|| format!("open quote in <{inside}>"))?
            }
        };
        if attributes.iter().any(|(known, _)| known == key) {
            return Err(format!("attribute {key} twice in <{inside}>"));
        }
        if value.contains('<') {
            return Err(format!("unescaped < in attribute {key} of <{inside}>"));
        }
        attributes.push((key.to_owned(), value.to_owned()));
        rest = after;
    }
    Ok(Tag {
        name: name.to_ascii_lowercase(),
        attributes,
    })
}

/// All opening tags.
pub(crate) fn tags(html: &str) -> Vec<Tag> {
    pieces(html)
        .expect("readable")
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Open(tag) => Some(tag),
            Piece::Close(_) | Piece::Text(_) => None,
        })
        .collect()
}

/// All forms.
pub(crate) fn forms(html: &str) -> Vec<Form> {
    let mut forms: Vec<Form> = Vec::new();
    let mut inside = false;
    for piece in pieces(html).expect("readable") {
        match piece {
            Piece::Open(tag) if tag.name == "form" => {
                inside = true;
                forms.push(Form {
                    method: tag.attribute("method").unwrap_or("get").to_owned(),
                    action: tag.attribute("action").unwrap_or_default().to_owned(),
                    fields: Vec::new(),
                });
            }
            Piece::Close(name) if name == "form" => inside = false,
            Piece::Open(tag) if inside => {
                if let (Some(name), Some(form)) = (tag.attribute("name"), forms.last_mut()) {
                    form.fields.push(name.to_owned());
                }
            }
            _ => {}
        }
    }
    forms
}

/// What may not stand inside of what.
fn misplaced(open: &[String], name: &str) -> Option<String> {
    let block = [
        "div", "p", "ul", "ol", "dl", "table", "section", "form", "h1", "h2", "h3", "h4", "header",
        "details", "pre", "fieldset",
    ];
    let parent = open.last().map(String::as_str);
    if parent == Some("p") && block.contains(&name) {
        return Some(format!("<{name}> in <p>"));
    }
    let interactive = ["a", "button", "input", "select", "textarea", "summary"];
    for outer in ["a", "button"] {
        if open.iter().any(|known| known == outer) && interactive.contains(&name) {
            return Some(format!("<{name}> in <{outer}>"));
        }
    }
    if name == "form" && open.iter().any(|known| known == "form") {
        return Some("<form> in <form>".to_owned());
    }
    let lists = ["ul", "ol"];
    match name {
        "li" if !parent.is_some_and(|parent| lists.contains(&parent)) => {
            Some(format!("<li> in <{}>", parent.unwrap_or("nothing")))
        }
        "td" | "th" if parent != Some("tr") => Some(format!("<{name}> outside of a row")),
        "tr" if !matches!(parent, Some("tbody" | "thead")) => Some("<tr> outside of a table".to_owned()),
        "summary" if parent != Some("details") => Some("<summary> outside of <details>".to_owned()),
        _ => None,
    }
}

/// Everything that is wrong with a page.
pub(crate) fn problems(html: &str, whole: bool) -> Vec<String> {
    let pieces = match pieces(html) {
        Ok(pieces) => pieces,
        Err(problem) => return vec![problem],
    };
    let mut problems = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut ids = BTreeSet::new();
    let mut wanted: Vec<(String, String)> = Vec::new();
    let mut labels = BTreeSet::new();
    let mut controls: Vec<(String, bool)> = Vec::new();
    let mut headings = Vec::new();
    for piece in &pieces {
        match piece {
            Piece::Text(text) if text.contains("{{") && !open.iter().any(|name| name == "code") => {
                problems.push(format!("template left over: {text:.40}"));
            }
            Piece::Text(_) => {}
            Piece::Close(name) => match open.pop() {
                Some(last) if last == *name => {}
                last => problems.push(format!("</{name}> closes {last:?}")),
            },
            Piece::Open(tag) => {
                if let Some(problem) = misplaced(&open, &tag.name) {
                    problems.push(problem);
                }
                look(
                    tag,
                    &open,
                    &mut problems,
                    &mut ids,
                    &mut wanted,
                    &mut labels,
                    &mut controls,
                );
                if let Some(level) = tag
                    .name
                    .strip_prefix('h')
                    .and_then(|level| level.parse::<u8>().ok())
                {
                    headings.push(level);
                }
                if !VOID.contains(&tag.name.as_str()) {
                    open.push(tag.name.clone());
                }
            }
        }
    }
    if !open.is_empty() {
        problems.push(format!("never closed: {open:?}"));
    }
    if whole {
        for (from, id) in wanted {
            if !ids.contains(&id) {
                problems.push(format!("{from} refers to #{id}, which is not there"));
            }
        }
        let first = headings.iter().filter(|level| **level == 1).count();
        if first != 1 {
            problems.push(format!("{first} first headings"));
        }
        for (before, after) in headings.iter().zip(headings.iter().skip(1)) {
            if *after > before + 1 {
                problems.push(format!("heading {after} after {before}"));
            }
        }
    }
    for (id, named) in controls {
        if !named && !labels.contains(&id) {
            problems.push(format!("control {id:?} without a label"));
        }
    }
    problems
}

fn look(
    tag: &Tag,
    open: &[String],
    problems: &mut Vec<String>,
    ids: &mut BTreeSet<String>,
    wanted: &mut Vec<(String, String)>,
    labels: &mut BTreeSet<String>,
    controls: &mut Vec<(String, bool)>,
) {
    if let Some(id) = tag.attribute("id")
        && !ids.insert(id.to_owned())
    {
        problems.push(format!("id {id} twice"));
    }
    for name in ["for", "aria-labelledby", "aria-describedby"] {
        for id in tag.attribute(name).unwrap_or_default().split_whitespace() {
            wanted.push((name.to_owned(), id.to_owned()));
        }
    }
    for name in ["href", "hx-target", "hx-target:inherited"] {
        if let Some(id) = tag.attribute(name).and_then(|value| value.strip_prefix('#')) {
            wanted.push((name.to_owned(), id.to_owned()));
        }
    }
    if let Some(id) = tag.attribute("for") {
        labels.insert(id.to_owned());
    }
    let hidden = tag.attribute("type") == Some("hidden");
    if matches!(tag.name.as_str(), "input" | "select" | "textarea") && !hidden {
        let named = tag.attribute("aria-label").is_some() || open.iter().any(|name| name == "label");
        controls.push((tag.attribute("id").unwrap_or_default().to_owned(), named));
    }
}
