//! Splits the text of an expression into lexemes, just well enough to find its end in a template and to count what
//! it is made of, before the real parser sees it. Never fails: what is no lexeme of CEL is left to that parser.

/// One piece of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lexeme {
    /// A text in quotes.
    Quoted,
    /// A text whose quotes do not end.
    Open,
    /// A name, keyword or number.
    Word,
    /// `(`, `[` or `{`.
    Opening,
    /// `)`, `]` or `}`.
    Closing,
    /// `,` or `:`, which join no operands.
    Separator,
    /// Anything that joins operands.
    Operator,
    /// White space and comments.
    Space,
}

const PAIRS: [&str; 6] = ["&&", "||", "==", "!=", "<=", ">="];

/// The lexeme at the beginning of a text, and its length in bytes. `None` at the end.
fn first(text: &str) -> Option<(Lexeme, usize)> {
    let character = text.chars().next()?;
    let length = |matches: fn(char) -> bool| text.find(|next| !matches(next)).unwrap_or(text.len());
    if character.is_whitespace() {
        return Some((Lexeme::Space, length(char::is_whitespace)));
    }
    if text.starts_with("//") {
        return Some((Lexeme::Space, text.find('\n').unwrap_or(text.len())));
    }
    if is_word(character) {
        let end = length(is_word);
        let (word, rest) = text.split_at(end);
        let prefix = word.len() <= 2 && word.chars().all(|letter| "rRbB".contains(letter));
        return Some(if prefix && rest.starts_with(['\'', '"']) {
            let (lexeme, quoted) = quoted(rest, word.contains(['r', 'R']));
            (lexeme, end + quoted)
        } else {
            (Lexeme::Word, end)
        });
    }
    let lexeme = match character {
        '\'' | '"' => return Some(quoted(text, false)),
        '(' | '[' | '{' => Lexeme::Opening,
        ')' | ']' | '}' => Lexeme::Closing,
        ',' | ':' => Lexeme::Separator,
        _ if PAIRS.iter().any(|pair| text.starts_with(pair)) => return Some((Lexeme::Operator, 2)),
        _ => Lexeme::Operator,
    };
    Some((lexeme, character.len_utf8()))
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

fn quoted(text: &str, raw: bool) -> (Lexeme, usize) {
    let quote = if text.starts_with('\'') { "'" } else { "\"" };
    let triple = quote.repeat(3);
    let closing = if text.starts_with(&triple) {
        triple.as_str()
    } else {
        quote
    };
    let mut at = closing.len();
    while let Some(rest) = text.get(at..) {
        if rest.starts_with(closing) {
            return (Lexeme::Quoted, at + closing.len());
        }
        let mut characters = rest.chars();
        match characters.next() {
            Some('\\') if !raw => at += 1 + characters.next().map_or(0, char::len_utf8),
            Some(character) => at += character.len_utf8(),
            None => break,
        }
    }
    (Lexeme::Open, text.len())
}

/// The lexemes of a text with the byte at which each begins.
pub(crate) fn lexemes(text: &str) -> impl Iterator<Item = (usize, Lexeme)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (lexeme, length) = first(text.get(at..)?)?;
        let begin = at;
        at += length;
        Some((begin, lexeme))
    })
}

/// The byte at which the `}}` stands that ends the expression at the beginning of the text. Braces and quotes inside
/// of the expression are skipped.
pub(crate) fn end(text: &str) -> Option<usize> {
    let mut depth = 0_u32;
    for (at, lexeme) in lexemes(text) {
        let here = text.get(at..).unwrap_or("");
        match lexeme {
            Lexeme::Opening if here.starts_with('{') => depth += 1,
            Lexeme::Closing if here.starts_with('}') && depth > 0 => depth -= 1,
            Lexeme::Closing if here.starts_with("}}") => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_expression_is_found() {
        for (text, expected) in [
            (" a }}", Some(3)),
            ("'}}' }}", Some(5)),
            ("{'a': {'b': 1}}.a }}", Some(18)),
            (r"'\'}}' }}", Some(7)),
            (r"r'\' }}", Some(5)),
            ("'''it's }}''' }}", Some(14)),
            ("a } b", None),
            ("'a }}", None),
            ("", None),
            ("a\n}}", Some(2)),
            ("ü }}", Some(3)),
        ] {
            assert_eq!(end(text), expected, "{text}");
        }
    }

    #[test]
    fn lexemes_cover_the_text() {
        let kinds: Vec<Lexeme> = lexemes("a.b==[1,'x'] // c").map(|(_, lexeme)| lexeme).collect();
        use Lexeme::*;
        assert_eq!(
            kinds,
            [
                Word, Operator, Word, Operator, Opening, Word, Separator, Quoted, Closing, Space, Space
            ]
        );
    }
}
