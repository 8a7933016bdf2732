//! Channels are told of a request once it is durable, and again only when nobody knows that they were.

use clawd_model::{Event, Verdict};

use super::approvals::{request, vote};
use super::stage::{Stage, fine};
use crate::{Effect, Input};

fn asked() -> Stage {
    let yaml = "targets: {selector: role=web}\njobs: {work: {steps: [{id: a, uses: change@v1}]}}";
    let mut stage = Stage::new(yaml, 3, false);
    stage.gate.votes = 1;
    stage.gate.notify = &["ops", "security"];
    stage.give(Input::Resume);
    stage
}

fn channels(effects: &[Effect]) -> Vec<String> {
    let channel = |effect: &Effect| match effect {
        Effect::Announce { channel, .. } => channel.clone(),
        other => panic!("{other:?}"),
    };
    effects.iter().map(channel).collect()
}

#[test]
fn each_channel_is_told_once_of_each_request() {
    let mut stage = asked();
    let effects = stage.take();
    assert_eq!(channels(&effects), ["ops", "security"]);
    for effect in effects {
        stage.perform(effect, &mut |_, _| fine());
    }
    stage.crash();
    assert!(stage.todo.is_empty(), "they know: {:?}", stage.todo);
    stage.give(Input::RulesChanged);
    assert!(stage.todo.is_empty());
}

#[test]
fn who_may_not_have_been_told_is_told_again_after_a_crash() {
    let mut stage = asked();
    stage.take();
    let approval = request(&stage).id;
    let channel = "ops".to_owned();
    stage.give(Input::Announced { approval, channel });
    stage.crash();
    assert_eq!(channels(&stage.take()), ["security"]);
    // Nobody has to hear of what was decided meanwhile.
    let yes = vote(&stage, "ben", Verdict::Approve);
    stage.give(yes);
    let before = stage.journal.len();
    let channel = "security".to_owned();
    stage.give(Input::Announced { approval, channel });
    assert_eq!(stage.journal.len(), before);
    stage.take();
    stage.crash();
    assert!(
        !stage
            .todo
            .iter()
            .any(|effect| matches!(effect, Effect::Announce { .. }))
    );
    let told = stage.journal.iter();
    let told = told.filter(|recorded| matches!(recorded.event, Event::ApprovalAnnounced { .. }));
    assert_eq!(told.count(), 1);
}
