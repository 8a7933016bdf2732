//! Plain tables: a header, columns that line up, nothing else.

use comfy_table::{ContentArrangement, Table, presets};

/// Prints a table; nothing but a note on standard error when it is empty.
pub(crate) fn print(header: &[&str], rows: Vec<Vec<String>>, nothing: &str) {
    if rows.is_empty() {
        eprintln!("{nothing}");
        return;
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.to_vec());
    for row in rows {
        table.add_row(row);
    }
    // Columns are apart by what stands after them; nothing stands before the first.
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    for line in table.to_string().lines() {
        outln!("{}", line.trim_end());
    }
}
