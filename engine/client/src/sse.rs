//! Server-sent events, read from pieces of bytes at any border.

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SseEvent {
    /// The `id` field.
    pub(crate) id: Option<String>,
    /// The `event` field.
    pub(crate) name: String,
    /// The `data` lines, joined.
    pub(crate) data: String,
}

/// Takes bytes, gives events.
#[derive(Debug, Default)]
pub(crate) struct SseParser {
    buffer: Vec<u8>,
    current: SseEvent,
    has_data: bool,
}

/// A line longer than this is not one of ours.
const LINE_MAX: usize = 16 << 20;

impl SseParser {
    /// Takes a piece; gives the events that it completed, or `None` when a line is absurdly long.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Option<Vec<SseEvent>> {
        let mut events = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.buffer.extend_from_slice(piece);
            if self.buffer.len() > LINE_MAX {
                return None;
            }
            if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut self.buffer);
                let line = String::from_utf8_lossy(&line);
                events.extend(self.line(line.trim_end_matches(['\n', '\r'])));
            }
        }
        Some(events)
    }

    fn line(&mut self, line: &str) -> Option<SseEvent> {
        if line.is_empty() {
            let event = std::mem::take(&mut self.current);
            return std::mem::take(&mut self.has_data).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => self.current.id = Some(value.to_owned()),
            "event" => value.clone_into(&mut self.current.name),
            "data" => {
                if self.has_data {
                    self.current.data.push('\n');
                }
                self.current.data.push_str(value);
                self.has_data = true;
            }
            // A comment (an empty field: our heartbeat), or a field that we do not use.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_survive_any_border() {
        let text =
            ": heartbeat\n\nid: 7\r\nevent: run\r\ndata: {\"a\":1}\r\n\r\ndata: x\ndata:y\n\nid: 9\n\n";
        for size in 1..text.len() {
            let mut parser = SseParser::default();
            let events: Vec<SseEvent> = text
                .as_bytes()
                .chunks(size)
                .flat_map(|piece| parser.push(piece).unwrap())
                .collect();
            assert_eq!(events.len(), 2, "pieces of {size}");
            assert_eq!(events[0].id.as_deref(), Some("7"));
            assert_eq!(
                (events[0].name.as_str(), events[0].data.as_str()),
                ("run", "{\"a\":1}")
            );
            assert_eq!(events[1].data, "x\ny");
        }
    }
}
