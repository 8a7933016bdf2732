//! What one job gives to another.

use clawd_model::RunStatus;

use crate::fixture::Fixture;

#[tokio::test(flavor = "multi_thread")]
async fn a_later_job_is_given_the_outputs_of_an_earlier_one() {
    let fixture = Fixture::new().await;
    let worker = fixture.worker().await;
    let yaml = "
jobs:
  first:
    targets: controller
    outputs: {what: 'and ${{ steps.a.value }}'}
    steps: [{id: a, uses: once@v1, with: {value: this}}]
  second:
    needs: [first]
    targets: controller
    steps: [{id: b, uses: once@v1, with: {value: '${{ jobs.first.outputs.what }}'}}]
";
    let new = fixture.run_of(yaml).await;
    let run = new.run;
    worker.admit(new).await.unwrap();
    worker.join(run).await;
    assert_eq!(fixture.row(run).await.status, RunStatus::Succeeded);
    assert_eq!(fixture.world.calls(), ["\"this\"", "\"and this\""]);
}
