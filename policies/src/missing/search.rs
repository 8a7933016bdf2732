//! The fewest further votes that plain Cedar would allow with.
//!
//! Between two numbers that a policy asks for, nothing changes; so only these are tried, fewest votes first. More
//! votes never hurt (the loader sees to it), so what contains a set that is enough need not be tried.

use std::collections::{BTreeMap, BTreeSet};

use clawd_model::{GroupName, MissingVotes};

use crate::Approvals;
use crate::names::DISTINCT;

/// How many combinations are tried before it is done the short way, which may miss alternatives.
const TRIED_MAX: usize = 4096;
/// How many alternatives are worth showing.
const ALTERNATIVES_MAX: usize = 16;

/// A count of votes, and by how much it could be raised: 0 first.
struct Axis {
    /// `None`: different people.
    group: Option<GroupName>,
    steps: Vec<u32>,
}

/// For every axis, by how much it is raised.
type Point = Vec<u32>;

/// All minimal sets of further votes, fewest first; empty when no votes are enough.
pub(super) fn fewest(
    now: &Approvals,
    thresholds: &BTreeMap<String, BTreeSet<u32>>,
    allowed: &dyn Fn(&Approvals) -> bool,
) -> Vec<MissingVotes> {
    let axes = axes(now, thresholds);
    let most: Point = axes
        .iter()
        .map(|axis| axis.steps.last().copied().unwrap_or(0))
        .collect();
    let enough = |point: &Point| allowed(&with(now, &axes, point));
    if axes.is_empty() || !enough(&most) {
        return Vec::new();
    }
    let combinations = axes
        .iter()
        .try_fold(1_usize, |product, axis| product.checked_mul(axis.steps.len()));
    let mut found = match combinations {
        Some(count) if count <= TRIED_MAX => try_all(&axes, &enough),
        _ => lower_each(&axes, &most, &enough),
    };
    found.sort_by_cached_key(|point| (people(point), total(point), point.clone()));
    found
        .into_iter()
        .take(ALTERNATIVES_MAX)
        .map(|point| missing(&axes, &point))
        .collect()
}

fn axes(now: &Approvals, thresholds: &BTreeMap<String, BTreeSet<u32>>) -> Vec<Axis> {
    let mut axes = Vec::new();
    for (count, from) in thresholds {
        let (group, current) = if count == DISTINCT {
            (None, now.distinct)
        } else {
            match count.parse::<GroupName>() {
                Ok(group) => {
                    let current = now.of(count);
                    (Some(group), current)
                }
                Err(_) => continue,
            }
        };
        let raises = from.iter().filter_map(|wanted| wanted.checked_sub(current));
        let steps: BTreeSet<u32> = std::iter::once(0).chain(raises).collect();
        if steps.len() > 1 {
            axes.push(Axis {
                group,
                steps: steps.into_iter().collect(),
            });
        }
    }
    axes
}

/// The votes if so many more came in. Two more votes of a group are of two more people, at least.
fn with(now: &Approvals, axes: &[Axis], point: &Point) -> Approvals {
    let mut votes = now.clone();
    let mut people = 0;
    for (axis, more) in axes.iter().zip(point) {
        people = people.max(*more);
        if let (Some(group), 1..) = (&axis.group, *more) {
            let count = votes.groups.entry(group.clone()).or_default();
            *count = count.saturating_add(*more);
        }
    }
    votes.distinct = votes.distinct.saturating_add(people);
    votes
}

fn missing(axes: &[Axis], point: &Point) -> MissingVotes {
    let mut missing = MissingVotes {
        groups: BTreeMap::new(),
        distinct: 0,
        candidates: Vec::new(),
    };
    for (axis, more) in axes.iter().zip(point).filter(|(_, more)| **more > 0) {
        match &axis.group {
            Some(group) => {
                missing.groups.insert(group.clone(), *more);
            }
            None => missing.distinct = *more,
        }
    }
    missing
}

/// Every combination, those with the fewest votes first.
fn try_all(axes: &[Axis], enough: &dyn Fn(&Point) -> bool) -> Vec<Point> {
    let mut points: Vec<Point> = vec![Vec::new()];
    for axis in axes {
        points = points
            .iter()
            .flat_map(|point| {
                axis.steps
                    .iter()
                    .map(|step| [point.as_slice(), &[*step]].concat())
            })
            .collect();
    }
    // What contains another point comes after it.
    points.sort_by_cached_key(|point| {
        (
            total(point) - own(axes, point) + people(point),
            total(point),
            point.clone(),
        )
    });
    let mut found: Vec<Point> = Vec::new();
    for point in points {
        if !found.iter().any(|smaller| contains(axes, &point, smaller)) && enough(&point) {
            found.push(point);
        }
    }
    found
}

/// How many different people it takes to give these votes, at least.
fn people(point: &Point) -> u64 {
    point.iter().copied().max().unwrap_or(0).into()
}

/// The votes of a point that are asked for of anybody.
fn own(axes: &[Axis], point: &Point) -> u64 {
    let of_anybody = axes.iter().zip(point).filter(|(axis, _)| axis.group.is_none());
    of_anybody.map(|(_, more)| u64::from(*more)).sum()
}

/// Whether whoever gives the votes of `point` also gives those of `smaller`: three votes of a group are votes of
/// three people.
fn contains(axes: &[Axis], point: &Point, smaller: &Point) -> bool {
    axes.iter()
        .zip(point.iter().zip(smaller))
        .all(|(axis, (more, less))| match axis.group {
            Some(_) => less <= more,
            None => u64::from(*less) <= people(point),
        })
}

/// From enough of everything, less of one group after the other, and last of anybody; once per group that is
/// lowered first.
fn lower_each(axes: &[Axis], most: &Point, enough: &dyn Fn(&Point) -> bool) -> Vec<Point> {
    let (groups, anybody): (Vec<usize>, Vec<usize>) =
        (0..axes.len()).partition(|place| axes.get(*place).is_some_and(|axis| axis.group.is_some()));
    let mut found: BTreeSet<Point> = BTreeSet::new();
    for first in 0..groups.len().max(1) {
        let mut point = most.clone();
        let (before, after) = groups.split_at(first.min(groups.len()));
        for place in after.iter().chain(before).chain(&anybody) {
            let steps = axes.get(*place).map_or(&[][..], |axis| axis.steps.as_slice());
            for step in steps {
                let mut lower = point.clone();
                if let Some(count) = lower.get_mut(*place) {
                    *count = *step;
                }
                if enough(&lower) {
                    point = lower;
                    break;
                }
            }
        }
        found.insert(point);
    }
    found.into_iter().collect()
}

fn total(point: &Point) -> u64 {
    point.iter().map(|more| u64::from(*more)).sum()
}

#[cfg(test)]
mod tests;
