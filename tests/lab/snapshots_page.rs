//! The lines that the manual's page on snapshots gives to users, compiled. They are not run: they read a spec of the
//! user's.

#[allow(dead_code)]
fn the_model_is_as_robust_as_accepted() -> medcert::Result<()> {
    let plan = medcert::plan(medcert::read("medcert.yaml")?);
    let evidence = medcert::run(&plan, &medcert::RunOptions::default())?;
    let judgement = medcert::judge(&plan, &evidence);
    let body = medcert::report(&plan, &evidence, &judgement, medcert::ReportFormat::Snapshot);
    insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("medcert", body);
    });
    Ok(())
}

#[test]
fn the_page_shows_the_lines_that_compile() {
    let page = include_str!("../../docs/src/snapshots.md");
    let shown = page.split_once("```rust,ignore\n#[test]\n").expect("a block").1;
    let shown = shown.split_once("```").expect("its end").0;
    assert!(include_str!("snapshots_page.rs").contains(shown), "the page shows other lines:\n{shown}");
}
