//! Standard output: data, and nothing but data.
//!
//! `println!` panics when the reader has gone (`clawd plan … | head`). Here the process ends instead, quietly, with
//! the code that shells give to a program that died of a closed pipe.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write as _};

/// 128 and the number of SIGPIPE.
pub(crate) const CLOSED_PIPE: i32 = 141;

/// Writes to standard output. A closed pipe ends the process; of any other failure people are told.
pub(crate) fn write(text: Arguments<'_>) {
    if let Err(error) = io::stdout().lock().write_fmt(text) {
        end(&error);
    }
}

/// Writes what is left in the buffer.
pub(crate) fn flush() {
    if let Err(error) = io::stdout().lock().flush() {
        end(&error);
    }
}

/// Standard output as a sink, with the same end.
pub(crate) struct Stdout;

impl io::Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stdout().lock().write(bytes).or_else(|error| end(&error))
    }

    fn flush(&mut self) -> io::Result<()> {
        flush();
        Ok(())
    }
}

/// Ends the process: standard output cannot be written.
pub(crate) fn end(error: &io::Error) -> ! {
    if error.kind() == ErrorKind::BrokenPipe {
        std::process::exit(CLOSED_PIPE);
    }
    eprintln!("error: standard output cannot be written: {error}");
    std::process::exit(crate::exit::Exit::Usage as i32);
}

/// `print!`, for a reader who may go away.
macro_rules! out {
    ($($part:tt)*) => { $crate::render::out::write(format_args!($($part)*)) };
}

/// `println!`, for a reader who may go away.
macro_rules! outln {
    () => { out!("\n") };
    ($format:literal $($rest:tt)*) => { out!("{}\n", format_args!($format $($rest)*)) };
}
