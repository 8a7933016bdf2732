//! What every drawing promises: boxes never overlap, lines go forward, the same graph draws the same.

use super::*;

const SIZES: Sizes = Sizes {
    width: 160.0,
    height: 50.0,
    between_layers: 40.0,
    between_boxes: 20.0,
    margin: 8.0,
};

fn overlap(a: &Placed, b: &Placed) -> bool {
    a.x + SIZES.width > b.x + 0.01
        && b.x + SIZES.width > a.x + 0.01
        && a.y + SIZES.height > b.y + 0.01
        && b.y + SIZES.height > a.y + 0.01
}

fn assert_sound(needs: &[Vec<usize>], direction: Direction, note: &str) {
    let drawing = draw(needs, SIZES, direction);
    assert_eq!(drawing.boxes.len(), needs.len());
    for (i, a) in drawing.boxes.iter().enumerate() {
        assert!(a.x >= 7.9 && a.y >= 7.9, "{note}: box {i} outside: {a:?}");
        assert!(
            a.x + SIZES.width <= drawing.width + 0.01,
            "{note}: box {i} outside"
        );
        assert!(
            a.y + SIZES.height <= drawing.height + 0.01,
            "{note}: box {i} outside"
        );
        for (j, b) in drawing.boxes.iter().enumerate().skip(i + 1) {
            assert!(!overlap(a, b), "{note}: boxes {i} and {j} overlap: {a:?} {b:?}");
        }
    }
    for line in &drawing.lines {
        let (from, to) = (&drawing.boxes[line.from], &drawing.boxes[line.to]);
        match direction {
            Direction::Across => assert!(from.x < to.x, "{note}: a line goes back"),
            Direction::Down => assert!(from.y < to.y, "{note}: a line goes back"),
        }
        assert!(line.path.starts_with('M'), "{note}");
    }
    assert_eq!(
        drawing,
        draw(needs, SIZES, direction),
        "{note}: not the same twice"
    );
}

#[test]
fn known_shapes() {
    let shapes: [(&str, Vec<Vec<usize>>); 6] = [
        ("nothing", vec![]),
        ("one", vec![vec![]]),
        ("chain", vec![vec![], vec![0], vec![1]]),
        ("diamond", vec![vec![], vec![0], vec![0], vec![1, 2]]),
        ("long edge", vec![vec![], vec![0], vec![1], vec![0, 2]]),
        ("two parts", vec![vec![], vec![], vec![0], vec![1]]),
    ];
    for (note, needs) in shapes {
        for direction in [Direction::Across, Direction::Down] {
            assert_sound(&needs, direction, note);
        }
    }
}

#[test]
fn a_chain_is_straight() {
    let drawing = draw(&[vec![], vec![0], vec![1]], SIZES, Direction::Across);
    let heights: Vec<f64> = drawing.boxes.iter().map(|placed| placed.y).collect();
    assert!(
        heights.iter().all(|y| (y - heights[0]).abs() < 0.01),
        "{heights:?}"
    );
}

#[test]
fn crossed_pairs_are_untangled() {
    // 0 and 1 feed 3 and 2: in document order the two lines cross.
    let mut graph = layer::layered(&[vec![], vec![], vec![1], vec![0]]);
    assert_eq!(order::crossings(&graph.layers, &graph.links), 1);
    order::untangle(&mut graph);
    assert_eq!(order::crossings(&graph.layers, &graph.links), 0);
}

#[test]
fn nonsense_still_draws() {
    assert_sound(
        &[vec![0], vec![7], vec![0]],
        Direction::Across,
        "self and nowhere",
    );
    let circle = draw(&[vec![1], vec![0]], SIZES, Direction::Across);
    assert_eq!(circle.boxes.len(), 2);
}

#[test]
fn random_graphs_are_sound() {
    let mut seed: u64 = 0x5eed_c1a3;
    println!("seed {seed:#x}");
    let mut next = |below: usize| -> usize {
        // xorshift: enough chance for shapes, and the same everywhere.
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % 1_000_003).unwrap() % below.max(1)
    };
    for round in 0..300 {
        let nodes = 1 + next(14);
        let needs: Vec<Vec<usize>> = (0..nodes)
            .map(|node| {
                let mut before: Vec<usize> = (0..next(4)).map(|_| next(node)).collect();
                before.retain(|other| *other < node);
                before.sort_unstable();
                before.dedup();
                before
            })
            .collect();
        assert_sound(&needs, Direction::Across, &format!("round {round}: {needs:?}"));
        assert_sound(&needs, Direction::Down, &format!("round {round}: {needs:?}"));
    }
}
