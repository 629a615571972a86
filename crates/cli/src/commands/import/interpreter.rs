//! The Python interpreter of a project.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use herald_project::Project;

use super::process;
use crate::Error;
use crate::interrupt::Interrupt;

/// A Python interpreter.
pub struct Interpreter {
    pub path: PathBuf,
    /// The setting or the folder that it was found by.
    pub found_by: String,
}

impl Interpreter {
    /// Returns the command that runs it.
    pub fn command(&self) -> Command {
        Command::new(&self.path)
    }
}

/// Variables that name a virtual environment.
const VARIABLES: [&str; 3] = ["VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "CONDA_PREFIX"];
/// Folders of virtual environments in a project.
const FOLDERS: [&str; 2] = [".venv", "venv"];
const POETRY_TIMEOUT: Duration = Duration::from_secs(30);

/// Finds the interpreter of a project: the given one, that of `herald.yaml`, that of the active
/// virtual environment, one in the project or above it, Poetry's, and else the system's.
pub fn find(
    project: &Project,
    given: Option<&Path>,
    root: &Path,
    interrupt: &Interrupt,
) -> Result<Interpreter, Error> {
    if let Some(path) = given {
        return named(path.to_path_buf(), "--python");
    }
    if let Some(path) = &project.python.interpreter {
        return named(root.join(path), "`python.interpreter` in herald.yaml");
    }
    for variable in VARIABLES {
        if let Some(folder) = env::var_os(variable).filter(|folder| !folder.is_empty()) {
            return named(in_environment(&root.join(folder)), variable);
        }
    }
    let root = root.canonicalize()?;
    for folder in root.ancestors() {
        for name in FOLDERS {
            let path = in_environment(&folder.join(name));
            if path.is_file() {
                return Ok(Interpreter {
                    path,
                    found_by: name.to_owned(),
                });
            }
        }
        // Above the repository are other projects.
        if folder.join(".git").exists() {
            break;
        }
    }
    if let Some(path) = of_poetry(&root, interrupt) {
        return Ok(Interpreter {
            path,
            found_by: "Poetry".to_owned(),
        });
    }
    on_path().ok_or_else(|| {
        Error::Message(
            "there is no Python interpreter: create a virtual environment in `.venv`, or name one \
             with --python"
                .to_owned(),
        )
    })
}

/// Returns an interpreter that somebody named.
fn named(path: PathBuf, found_by: &str) -> Result<Interpreter, Error> {
    let path = if path.is_dir() {
        in_environment(&path)
    } else {
        path
    };
    let is_command = path.components().count() == 1 && !path.is_file();
    if path.is_file() || is_command {
        return Ok(Interpreter {
            // Relative paths would be relative to the folder that it runs in.
            path: if is_command {
                path
            } else {
                std::path::absolute(path)?
            },
            found_by: found_by.to_owned(),
        });
    }
    Err(Error::Message(format!(
        "{found_by} names `{}`, and there is no interpreter",
        path.display()
    )))
}

/// Returns the place of the interpreter in a virtual environment.
fn in_environment(folder: &Path) -> PathBuf {
    if cfg!(windows) {
        folder.join("Scripts").join("python.exe")
    } else {
        folder.join("bin").join("python")
    }
}

/// Returns the interpreter of Poetry's environment, if the project is one of Poetry.
fn of_poetry(root: &Path, interrupt: &Interrupt) -> Option<PathBuf> {
    let settings = std::fs::read_to_string(root.join("pyproject.toml")).unwrap_or_default();
    if !root.join("poetry.lock").is_file() && !settings.contains("[tool.poetry]") {
        return None;
    }
    let mut command = Command::new("poetry");
    command.args(["env", "info", "--path"]).current_dir(root);
    let ended = process::run(command, POETRY_TIMEOUT, interrupt).ok()?;
    let folder = ended
        .output
        .lines()
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned();
    let path = in_environment(Path::new(&folder));
    (ended.status.success() && path.is_file()).then_some(path)
}

fn on_path() -> Option<Interpreter> {
    let names = if cfg!(windows) {
        ["python.exe", "python3.exe"]
    } else {
        ["python3", "python"]
    };
    let folders = env::var_os("PATH")?;
    let folders: Vec<PathBuf> = env::split_paths(&folders).collect();
    let files = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let path = files.into_iter().find(|path| path.is_file())?;
    Some(Interpreter {
        path,
        found_by: "PATH".to_owned(),
    })
}
