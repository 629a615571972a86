//! `herald man`: manual pages of the command and its subcommands.

use std::fs;
use std::io;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man as Page;

use crate::args::{Args, Man};
use crate::format::count;
use crate::terminal::{self, GREEN};
use crate::{Error, ExitStatus, output, output_files};

/// Runs the command.
pub fn run(args: &Man) -> Result<ExitStatus, Error> {
    let mut herald = Args::command();
    herald.build();
    let Some(folder) = &args.out else {
        output::text(&page(&herald)?.1)?;
        return Ok(ExitStatus::Success);
    };
    let mut pages = Vec::new();
    collect(&herald, &mut pages)?;
    for (name, text) in &pages {
        let path = folder.join(name);
        let is_new = fs::symlink_metadata(&path).is_err();
        output_files::write_text(&path, text, is_new)?;
    }
    let (pages, folder) = (count(pages.len(), "page"), terminal::path(folder));
    terminal::status(&format!("{GREEN}wrote{GREEN:#} {pages} in {folder}"));
    Ok(ExitStatus::Success)
}

/// Collects the pages of a command and its subcommands, each with the name of its file.
fn collect(command: &Command, pages: &mut Vec<(String, String)>) -> io::Result<()> {
    pages.push(page(command)?);
    let subcommands = command.get_subcommands();
    for command in subcommands.filter(|one| one.get_name() != "help") {
        collect(command, pages)?;
    }
    Ok(())
}

fn page(command: &Command) -> io::Result<(String, String)> {
    let page = Page::new(command.clone());
    let mut text = Vec::new();
    page.render(&mut text)?;
    let text = String::from_utf8_lossy(&text).into_owned();
    Ok((page.get_filename(), text))
}
