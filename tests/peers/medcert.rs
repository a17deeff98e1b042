//! medcert's side of the comparison with other libraries. `tests/peers/run.py` starts it and gives it lines on stdin:
//! `prepare ROW CASES` writes the row's weights and cases into the folder that is named on the command line,
//! `attack-exported FILE` takes the network from a file of torch.export from then on, and `run` does the row's work once,
//! `check` what is not timed. Each is answered with a line of JSON on stdout.

#![allow(missing_docs)]

mod rows;
mod stage;

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

use medcert::lab::settings::settle;
use medcert::lab::tensor;
use medcert::spec::DeviceChoice;
use medcert::{Error, Result};
use serde_json::{Value, json};
use stage::Stage;

const THREADS: usize = 2;

fn answer(line: &str, folder: &Path, stage: &mut Option<Stage>) -> Result<Value> {
    let unknown = || {
        Error::Input(format!("{line:?} is no command: prepare ROW CASES, attack-exported FILE, run, check"))
    };
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        ["prepare", name, cases] => {
            let row = rows::ROWS.iter().find(|row| row.name == name).ok_or_else(unknown)?;
            let cases = cases.parse().map_err(|_| unknown())?;
            *stage = None; // the former row's weights go first
            stage.insert(Stage::prepare(row, cases, folder)?).export(&folder.join(row.name))?;
            Ok(json!({"prepared": name}))
        }
        ["attack-exported", file] => {
            stage.as_mut().ok_or_else(unknown)?.attack_exported(Path::new(file))?;
            Ok(json!({"exported": file}))
        }
        ["run"] => stage.as_ref().ok_or_else(unknown)?.run(),
        ["check"] => stage.as_ref().ok_or_else(unknown)?.check(),
        _ => Err(unknown()),
    }
}

fn main() -> Result<()> {
    let folder = std::env::args().skip(1).find(|word| !word.starts_with("--")).map(PathBuf::from);
    let Some(folder) = folder else {
        println!("this is driven by tests/peers/run.py");
        return Ok(());
    };
    settle(DeviceChoice::Cpu)?;
    let (mut stage, mut out) = (None, std::io::stdout());
    tensor::set_threads(THREADS);
    for line in std::io::stdin().lock().lines().map_while(std::io::Result::ok) {
        let said = answer(&line, &folder, &mut stage)?;
        if writeln!(out, "{said}").and_then(|()| out.flush()).is_err() {
            break; // nobody listens any more
        }
    }
    Ok(())
}
