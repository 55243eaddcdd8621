//! The files that are emitted from the typed sagas and stacks.
//!
//! [`emit`] is pure. [`compare`] and [`write()`] bring a folder in line with it, for the templates that are committed.

mod folder;

pub use folder::{Change, FileState, FolderError, Prune, compare, write};

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::thread;

use saga::schema::Schemas;
use stacks::{Stage, Synth};

/// Where the committed files are, from the project's root.
pub const FOLDER: &str = "stacks/templates";

/// Where in it the schemas of the messages are: the envelope's, which all sagas share.
const SCHEMAS: &str = "schemas";

/// Where in it each saga's schemas are. A folder of their own, so that a saga can have any name.
const SAGA_SCHEMAS: &str = "schemas/sagas";

/// How templates are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// YAML.
    #[default]
    Yaml,
    /// JSON.
    Json,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 2] = [Self::Yaml, Self::Json];

    /// Its name, which is also the extension of its files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Json => "json",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == name)
            .ok_or_else(|| UnknownFormat { given: name.to_owned() })
    }
}

/// A name that is not a [`Format`].
#[derive(Debug, thiserror::Error)]
#[error("there is no template format `{given}`: use `yaml` or `json`")]
pub struct UnknownFormat {
    given: String,
}

/// What the stages give.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Emitted {
    /// Every file, by its path in the folder: `<stage>/<stack>.yaml`, `<stage>/<saga>.asl.json`, and what
    /// no stage changes: the pictures `<saga>.mmd`, `.svg` and `.dot`, and the schemas of all messages,
    /// `schemas/envelope.json` and `schemas/sagas/<saga>.json`.
    pub files: BTreeMap<PathBuf, String>,
    /// The functions whose code the stacks need: see [`crate::functions::check`].
    pub functions: BTreeSet<&'static str>,
}

/// The files of the stages of a deployment, and the functions they name.
///
/// # Errors
/// When the sagas or stacks of a stage are refused.
pub fn emit(
    synth: Synth,
    stages: impl IntoIterator<Item = Stage>,
    format: Format,
) -> Result<Emitted, SynthError> {
    let mut stages: Vec<_> = stages.into_iter().collect();
    let last = stages.pop();
    // Stages share nothing, so they are synthesised side by side: the last here, where memory is had for less.
    let results: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> =
            stages.into_iter().map(|stage| scope.spawn(move || emit_stage(synth, stage, format))).collect();
        let last = last.map(|stage| emit_stage(synth, stage, format));
        let joined =
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        joined.chain(last).collect()
    });
    let mut all = Emitted::default();
    for emitted in results {
        let Emitted { files, functions } = emitted?;
        all.files.extend(files);
        all.functions.extend(functions);
    }
    Ok(all)
}

fn emit_stage(synth: Synth, stage: Stage, format: Format) -> Result<Emitted, SynthError> {
    let app = synth(stage).map_err(|source| SynthError::Refused { stage, source })?;
    let folder = Path::new(stage.name());
    let mut files = BTreeMap::new();
    for stack in &app.stacks {
        let text = match format {
            Format::Yaml => stack.template.to_yaml(),
            Format::Json => stack.template.to_json(),
        };
        files.insert(folder.join(format!("{}.{format}", stack.id)), text.to_owned());
    }
    for machine in &app.machines {
        let json = serde_json::to_string_pretty(&machine.machine)
            .map_err(|source| SynthError::Machine { saga: machine.saga, source })?;
        files.insert(folder.join(format!("{}.asl.json", machine.saga)), json + "\n");
        for picture in Picture::ALL {
            let path = format!("{}.{}", machine.saga, picture.extension());
            files.insert(path.into(), picture.of(&machine.definition));
        }
    }
    files.extend(schema_files(&app.schemas)?);
    let functions = app.functions.iter().map(|function| function.name).collect();
    Ok(Emitted { files, functions })
}

fn schema_files(schemas: &Schemas) -> Result<BTreeMap<PathBuf, String>, SynthError> {
    let text = |name: &str, schemas: serde_json::Result<String>| {
        schemas
            .map(|text| text + "\n")
            .map_err(|source| SynthError::Schemas { name: name.to_owned(), source })
    };
    let mut files = BTreeMap::new();
    let envelope = text("envelope", serde_json::to_string_pretty(&schemas.envelope))?;
    files.insert(Path::new(SCHEMAS).join("envelope.json"), envelope);
    for (saga, schemas) in &schemas.sagas {
        let path = Path::new(SAGA_SCHEMAS).join(format!("{saga}.json"));
        files.insert(path, text(saga, serde_json::to_string_pretty(schemas))?);
    }
    Ok(files)
}

/// A way to draw a saga.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Picture {
    /// Mermaid, which GitHub shows.
    #[default]
    Mermaid,
    /// A picture that every browser shows.
    Svg,
    /// Graphviz.
    Dot,
}

impl Picture {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Mermaid, Self::Svg, Self::Dot];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mermaid => "mermaid",
            Self::Svg => "svg",
            Self::Dot => "dot",
        }
    }

    /// The extension of its files.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Mermaid => "mmd",
            Self::Svg => "svg",
            Self::Dot => "dot",
        }
    }

    /// The saga drawn this way.
    #[must_use]
    pub fn of(self, definition: &saga::Definition) -> String {
        match self {
            Self::Mermaid => saga::graph::mermaid(definition),
            Self::Svg => saga::graph::svg(definition),
            Self::Dot => saga::graph::dot(definition),
        }
    }
}

/// Why nothing can be emitted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SynthError {
    /// The sagas or stacks of a stage are refused.
    #[error("stage {stage} cannot be synthesised")]
    Refused {
        /// Of which stage.
        stage: Stage,
        /// Why.
        source: stacks::SynthError,
    },
    /// Schemas cannot be written as JSON.
    #[error("the schemas of `{name}` cannot be written as JSON")]
    Schemas {
        /// Of a saga, or of the envelope.
        name: String,
        /// Why.
        source: serde_json::Error,
    },
    /// A state machine cannot be written as JSON.
    #[error("the state machine of saga `{saga}` cannot be written as JSON")]
    Machine {
        /// Of which saga.
        saga: &'static str,
        /// Why.
        source: serde_json::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_files_come_out_every_time() {
        let first = emit(stacks::synth, Stage::ALL, Format::Yaml).unwrap();
        assert_eq!(first, emit(stacks::synth, Stage::ALL, Format::Yaml).unwrap());
        assert!(first.files.values().all(|text| text.ends_with('\n')), "every file ends with a line feed");
    }

    #[test]
    fn every_stage_has_its_folder_and_every_saga_its_pictures_and_schemas() {
        let Emitted { files, functions } = emit(stacks::synth, Stage::ALL, Format::Yaml).unwrap();
        let app = stacks::synth(Stage::Dev).unwrap();
        assert!(app.functions.iter().all(|function| functions.contains(function.name)));
        for stage in Stage::ALL {
            for stack in &app.stacks {
                assert!(files.contains_key(Path::new(&format!("{stage}/{}.yaml", stack.id))));
            }
            for machine in &app.machines {
                assert!(files.contains_key(Path::new(&format!("{stage}/{}.asl.json", machine.saga))));
            }
        }
        assert!(files.contains_key(Path::new("schemas/envelope.json")));
        for machine in &app.machines {
            assert!(files.contains_key(Path::new(&format!("schemas/sagas/{}.json", machine.saga))));
            for extension in ["mmd", "svg", "dot"] {
                assert!(files.contains_key(Path::new(&format!("{}.{extension}", machine.saga))));
            }
        }
    }

    #[test]
    fn one_stage_in_json_is_that_stage_in_json() {
        let files = emit(stacks::synth, [Stage::Prod], Format::Json).unwrap().files;
        assert!(files.contains_key(Path::new("prod/data.json")));
        assert!(
            !files
                .keys()
                .any(|path| path.starts_with("dev") || path.extension().is_some_and(|x| x == "yaml"))
        );
    }

    #[test]
    fn an_unknown_format_is_refused_with_those_there_are() {
        let error = "toml".parse::<Format>().unwrap_err();
        assert_eq!(error.to_string(), "there is no template format `toml`: use `yaml` or `json`");
    }
}
