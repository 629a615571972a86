//! Targets of a project: templates in a folder, and a `target.yaml` that names their output files.

use std::collections::HashMap;

use crate::manifest::{Each, FileRule, MANIFEST_FILE, Manifest};
use herald_catalog::Node;
use minijinja::value::{Serde, Value};

use crate::file::{GeneratedFile, is_ours};
use crate::targets::{Context, Target, TargetError};
use crate::template::{OwnTemplate, RenderError, Templates};
use crate::view::{CatalogView, Subject, TemplateView};

/// Maximum length of the name of a file or folder on common file systems.
const MAX_PART_BYTES: usize = 255;

/// Target of a project.
#[derive(Clone, Debug)]
pub struct CustomTarget {
    /// Name of its folder.
    pub name: String,
    /// Contents of its `target.yaml`.
    pub manifest: Manifest,
    /// Path of that file, for messages.
    pub file: String,
}

/// File of a target, with the data of its template.
#[derive(Debug)]
pub struct FileView {
    /// Name of the template.
    pub template: String,
    /// Path below the output folder.
    pub path: String,
    /// Data of the template.
    pub data: serde_json::Value,
}

impl CustomTarget {
    /// Returns the templates of its paths, for [`Templates::new`].
    pub fn path_templates(&self) -> impl Iterator<Item = OwnTemplate> {
        let files = self.manifest.files.iter().enumerate();
        files.map(|(index, rule)| OwnTemplate {
            name: self.path_template(index),
            text: rule.path.clone(),
            file: format!("{}: path of {}", self.file, rule.template),
        })
    }

    fn path_template(&self, index: usize) -> String {
        format!("{}/{MANIFEST_FILE}#{index}", self.name)
    }

    fn template(&self, rule: &FileRule) -> String {
        format!("{}/{}", self.name, rule.template)
    }

    /// Returns the data of each file. Without `is_complete`, files that need all contracts are
    /// left out.
    fn file_views(
        &self,
        nodes: &[&Node],
        templates: &Templates,
        is_complete: bool,
    ) -> Result<Vec<FileView>, TargetError> {
        let catalog = CatalogView::new(nodes).map_err(TargetError::Conflicts)?;
        let mut views = Vec::new();
        for (index, rule) in self.manifest.files.iter().enumerate() {
            let template = self.template(rule);
            if !templates.has(&template) {
                let message = format!("there is no template `{}.jinja`", rule.template);
                return Err(self.error(message).into());
            }
            if rule.each.is_per_catalog() && !is_complete {
                continue;
            }
            for data in data(rule.each, &catalog) {
                let mut path = String::new();
                let given = Value::from(Serde(&data));
                templates.render_into(&mut path, &self.path_template(index), given)?;
                check_path(&path).map_err(|reason| {
                    self.error(format!("path of {}: `{path}` {reason}", rule.template))
                })?;
                views.push(FileView {
                    template: template.clone(),
                    path,
                    data,
                });
            }
        }
        Ok(views)
    }

    fn error(&self, message: String) -> RenderError {
        RenderError {
            file: self.file.clone(),
            line: None,
            message,
        }
    }
}

impl Target for CustomTarget {
    fn name(&self) -> &str {
        &self.name
    }

    /// Renders the files. A template with empty output has no file.
    fn render(
        &self,
        nodes: &[&Node],
        context: &Context<'_>,
        is_complete: bool,
    ) -> Result<Vec<GeneratedFile>, TargetError> {
        let templates = context.templates;
        let mut files = Vec::new();
        for view in self.file_views(nodes, templates, is_complete)? {
            let mut contents = String::new();
            let given = Value::from(Serde(&view.data));
            templates.render_into(&mut contents, &view.template, given)?;
            if contents.trim().is_empty() {
                continue;
            }
            if !is_ours(contents.as_bytes()) {
                let message = format!(
                    "`{}` has to print `{{{{ marker }}}}` in its first lines, as a comment, by \
                     which Herald knows its own files",
                    view.template
                );
                return Err(self.error(message).into());
            }
            contents.truncate(contents.trim_end().len());
            contents.push('\n');
            let path = view.path;
            files.push(GeneratedFile { path, contents });
        }
        Ok(files)
    }

    fn views(
        &self,
        nodes: &[&Node],
        templates: &Templates,
    ) -> Result<Option<Vec<FileView>>, TargetError> {
        self.file_views(nodes, templates, true).map(Some)
    }
}

/// Returns the data of each file that a rule writes.
fn data(each: Each, catalog: &CatalogView<'_>) -> Vec<serde_json::Value> {
    let of = |subject| TemplateView::data(each.as_str(), subject);
    let nodes = catalog.nodes.iter();
    match each {
        Each::Catalog => vec![of(Subject::Catalog(catalog))],
        Each::Node => nodes.map(|node| of(Subject::Node(node))).collect(),
        Each::Event => nodes
            .flat_map(|node| {
                let events = node.events.iter();
                events.map(move |event| of(Subject::Event { node, event }))
            })
            .collect(),
        Each::Topic => {
            let topics = catalog.topics.iter();
            topics.map(|topic| of(Subject::Topic(topic))).collect()
        }
    }
}

/// Checks that a path stays in its folder and is valid on every system.
fn check_path(path: &str) -> Result<(), &'static str> {
    let is_usual = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    if path.starts_with('/') {
        return Err("is absolute; paths are relative to the output folder");
    }
    if !path.chars().all(is_usual) {
        return Err("has to consist of letters, digits, `.`, `_`, `-` and `/`; \
                    the filters `slug` and `ident` make names of texts");
    }
    for part in path.split('/') {
        match part {
            "" => return Err("has a part without a name"),
            "." | ".." => return Err("may not lead elsewhere by `.` or `..`"),
            _ if part.eq_ignore_ascii_case(".git") => return Err("leads into `.git`"),
            _ if part.ends_with('.') => return Err("has a part that ends in `.`"),
            _ if part.len() > MAX_PART_BYTES => return Err("has a part that is too long"),
            _ => {}
        }
    }
    Ok(())
}

/// Returns two files that can't both be written: their paths differ only in case, which some file
/// systems ignore, or one is a folder of the other.
pub fn collision(files: &[GeneratedFile]) -> Option<(&str, &str)> {
    let mut seen: HashMap<String, &str> = HashMap::new();
    for file in files {
        if let Some(other) = seen.insert(file.path.to_lowercase(), &file.path) {
            return Some((other, &file.path));
        }
    }
    files.iter().find_map(|file| {
        let lower = file.path.to_lowercase();
        let folders = lower.match_indices('/').map(|(end, _)| &lower[..end]);
        let other = folders.into_iter().find_map(|folder| seen.get(folder))?;
        Some((*other, file.path.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_in_its_folder() {
        for good in ["a.md", "a/b-c/d_e.f.ts", ".github/x.yml"] {
            assert_eq!(check_path(good), Ok(()), "{good}");
        }
        let long = "x".repeat(256);
        for bad in [
            "",
            "/etc/passwd",
            "../a",
            "a/../../b",
            "a//b",
            "./a",
            "a/",
            "a\\b",
            "C:a",
            "a b",
            "ä",
            "a\nb",
            ".git/hooks/x",
            "a/.GIT/x",
            "a.",
            &long,
        ] {
            assert!(check_path(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn files_collide_whatever_the_case_and_with_folders() {
        let files = |paths: &[&str]| -> Vec<_> {
            let file = |path: &&str| GeneratedFile {
                path: (*path).to_owned(),
                contents: String::new(),
            };
            paths.iter().map(file).collect()
        };
        assert_eq!(collision(&files(&["a", "b", "a.b/c", "a.c"])), None);
        assert_eq!(
            collision(&files(&["x", "A/b", "a/B"])),
            Some(("A/b", "a/B"))
        );
        assert_eq!(collision(&files(&["a/b/c", "A"])), Some(("A", "a/b/c")));
    }
}
