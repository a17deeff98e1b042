//! How the threads of libtorch wait: chosen before it is loaded, unless the user has chosen.

use std::process::Command;

/// What libgomp reads as the number of spins, when the program starts with such variables.
fn spins(variables: &[(&str, &str)]) -> String {
    let mut program = Command::new(env!("CARGO_BIN_EXE_medcert"));
    program.arg("--version").env_remove("OMP_WAIT_POLICY").env_remove("GOMP_SPINCOUNT");
    program.env("OMP_DISPLAY_ENV", "verbose").envs(variables.iter().copied());
    let output = program.output().expect("it runs");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        concat!("medcert ", env!("CARGO_PKG_VERSION"))
    );
    let said = String::from_utf8_lossy(&output.stderr);
    // a program that starts itself again shows the settings once before
    let line = said.lines().rfind(|line| line.contains("GOMP_SPINCOUNT")).expect("a line of the settings");
    line.split('\'').nth(1).expect("a value").to_string()
}

#[cfg(target_os = "linux")]
#[test]
fn threads_spin_for_microseconds_unless_the_user_says_otherwise() {
    assert_eq!(spins(&[]), "1000");
    assert_eq!(spins(&[("OMP_WAIT_POLICY", "passive")]), "0");
    assert_eq!(spins(&[("GOMP_SPINCOUNT", "77")]), "77");
}
