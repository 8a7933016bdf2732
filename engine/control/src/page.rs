//! Pages of long lists: one item more than the page holds is read, so that we know whether there is a next page.

/// How many items a page holds.
pub(crate) fn limit(wanted: Option<u32>) -> u32 {
    wanted.unwrap_or(50).clamp(1, 200)
}

/// Cuts the list to the page, and gives the place after which the next page begins.
pub(crate) fn cut<T>(
    mut items: Vec<T>,
    limit: u32,
    place: impl Fn(&T) -> String,
) -> (Vec<T>, Option<String>) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    let next = if more { items.last().map(place) } else { None };
    (items, next)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_last_page_has_no_next() {
        let cut = |count: u32| super::cut((0..count).collect(), 3, u32::to_string);
        assert_eq!(cut(4), (vec![0, 1, 2], Some("2".to_owned())));
        assert_eq!(cut(3), (vec![0, 1, 2], None));
        assert_eq!(cut(0), (vec![], None));
        assert_eq!(
            (
                super::limit(None),
                super::limit(Some(0)),
                super::limit(Some(9999))
            ),
            (50, 1, 200)
        );
    }
}
