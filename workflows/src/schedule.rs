//! What starts a run, and when: parsed and checked here. Nothing acts on a schedule in this version, which is said as a
//! warning.

/// What may start a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Triggers {
    /// Whether people may start it.
    pub manual: bool,
    /// When it should start by itself; nothing acts on it yet.
    pub schedule: Option<Schedule>,
}

impl Default for Triggers {
    /// A runbook without `triggers` is started by people.
    fn default() -> Self {
        Self {
            manual: true,
            schedule: None,
        }
    }
}

/// A repeated time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Five fields, as in cron.
    pub cron: String,
    /// The maintenance window that it has to fall into.
    pub window: Option<String>,
}

struct Field {
    name: &'static str,
    low: u32,
    high: u32,
    words: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field {
        name: "minute",
        low: 0,
        high: 59,
        words: &[],
    },
    Field {
        name: "hour",
        low: 0,
        high: 23,
        words: &[],
    },
    Field {
        name: "day of the month",
        low: 1,
        high: 31,
        words: &[],
    },
    Field {
        name: "month",
        low: 1,
        high: 12,
        words: &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    },
    Field {
        name: "day of the week",
        low: 0,
        high: 7,
        words: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    },
];

/// Checks the five fields; the error says what is wrong with which.
pub(crate) fn check_cron(text: &str) -> Result<(), String> {
    let parts: Vec<&str> = text.split_whitespace().collect();
    if parts.len() != FIELDS.len() {
        return Err(format!("a schedule has five fields, not {}", parts.len()));
    }
    for (part, field) in parts.iter().zip(&FIELDS) {
        for item in part.split(',') {
            check_item(item, field)?;
        }
    }
    Ok(())
}

fn check_item(item: &str, field: &Field) -> Result<(), String> {
    let (range, step) = match item.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (item, None),
    };
    if let Some(step) = step {
        let fits = step
            .parse::<u32>()
            .is_ok_and(|step| (1..=field.high).contains(&step));
        if !fits || !(range == "*" || range.contains('-')) {
            return Err(format!("`{item}` is not a step of the {}", field.name));
        }
    }
    if range == "*" {
        return Ok(());
    }
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let (first, last) = (number(first, field)?, number(last, field)?);
    if first > last {
        return Err(format!("`{range}` runs backwards, in the {}", field.name));
    }
    Ok(())
}

fn number(text: &str, field: &Field) -> Result<u32, String> {
    let word = text.to_ascii_lowercase();
    if let Some(position) = field.words.iter().position(|known| *known == word) {
        return Ok(field.low + u32::try_from(position).unwrap_or(0));
    }
    let digits = !text.is_empty() && text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let value = if digits { text.parse::<u32>().ok() } else { None };
    value
        .filter(|value| (field.low..=field.high).contains(value))
        .ok_or_else(|| {
            format!(
                "`{text}` is not a {}: {} to {}",
                field.name, field.low, field.high
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_schedules_are_accepted() {
        for text in [
            "0 3 * * 2",
            "*/10 * * * *",
            "0 0 1,15 jan-mar *",
            "30 4 * * mon-fri",
            "0-30/5 22 * * 7",
        ] {
            assert_eq!(check_cron(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn unusual_ones_are_not() {
        for (text, message) in [
            ("", "a schedule has five fields, not 0"),
            ("@daily", "a schedule has five fields, not 1"),
            ("60 * * * *", "`60` is not a minute: 0 to 59"),
            ("* * 0 * *", "`0` is not a day of the month: 1 to 31"),
            ("* 5-1 * * *", "`5-1` runs backwards, in the hour"),
            ("*/0 * * * *", "`*/0` is not a step of the minute"),
            ("5/2 * * * *", "`5/2` is not a step of the minute"),
            ("* * * mai *", "`mai` is not a month: 1 to 12"),
            ("-1 * * * *", "`` is not a minute: 0 to 59"),
            ("+5 * * * *", "`+5` is not a minute: 0 to 59"),
            ("1,,2 * * * *", "`` is not a minute: 0 to 59"),
        ] {
            assert_eq!(check_cron(text), Err(message.to_owned()), "{text}");
        }
    }
}
