//! A stack in the making: its template, and what every resource of it needs to know.

use crate::{
    checks::SynthError,
    parameters,
    stage::Stage,
    synth::{Stack, StackId},
};
use cfn::{Condition, Declare, Handle, Output, Param, Removal, Template, Test, Value};
use saga::{budget::Timing, environment};
use serde_json::json;
use std::collections::BTreeMap;

/// A stack in the making.
pub(crate) struct Draft {
    pub(crate) template: Template,
    pub(crate) stage: Stage,
    id: StackId,
    deployment: Option<Param>,
    handed: BTreeMap<String, &'static str>,
    on_aws: Option<Condition>,
    on_emulator: Option<Condition>,
}

impl Draft {
    pub(crate) fn new(stage: Stage, id: StackId, description: &str) -> Self {
        let template = Template::new(format!("Flyover, stage {stage}: {description}"));
        let handed = BTreeMap::new();
        Self { template, stage, id, deployment: None, handed, on_aws: None, on_emulator: None }
    }

    pub(crate) fn timing(&self) -> Timing {
        self.stage.timing()
    }

    /// The tags of a resource that belongs to a service.
    pub(crate) fn tags<'a>(&self, service: &'a str) -> [(&'static str, &'a str); 3] {
        [("project", "flyover"), ("stage", self.stage.name()), ("service", service)]
    }

    /// The variables that tell a function which deployment it belongs to.
    pub(crate) fn deployment_variables(&mut self) -> [(String, Value<String>); 2] {
        let deployment = Value::sub(format!("${{{}}}", self.deployment().name()));
        [
            (environment::DEPLOYMENT.to_owned(), deployment),
            (environment::STAGE.to_owned(), self.stage.name().into()),
        ]
    }

    /// A physical name. Only where others must know the name before the resource exists; names are made by
    /// CloudFormation otherwise.
    pub(crate) fn physical_name<T>(&mut self, prefix: &str, name: &str) -> Value<T> {
        let stage = self.stage;
        Value::sub(format!("{prefix}${{{}}}-{stage}-{name}", self.deployment().name()))
    }

    /// The parameter with the name of the deployment. Declared when it is needed: a parameter that nothing uses is a
    /// finding of linters.
    fn deployment(&mut self) -> &Param {
        let template = &mut self.template;
        self.deployment
            .get_or_insert_with(|| template.parameter(parameters::DEPLOYMENT, parameters::deployment()))
    }

    /// Adds a resource with what customers entrusted to us: in production it stays when it leaves the stack. What a
    /// failed creation of the stack leaves is empty, goes, and does not stand in the way of the next.
    pub(crate) fn add_kept<D: Declare>(
        &mut self,
        logical_id: impl AsRef<str>,
        resource: D,
    ) -> Handle<D::Resource> {
        self.add_with(logical_id, resource, Removal::RetainExceptOnCreate)
    }

    /// The same for a resource that is protected against deletion: a failed creation must not try to delete it.
    pub(crate) fn add_protected<D: Declare>(
        &mut self,
        logical_id: impl AsRef<str>,
        resource: D,
    ) -> Handle<D::Resource> {
        self.add_with(logical_id, resource, Removal::Retain)
    }

    /// Adds a resource with contents that go with it.
    pub(crate) fn add_dropped<D: Declare>(
        &mut self,
        logical_id: impl AsRef<str>,
        resource: D,
    ) -> Handle<D::Resource> {
        self.add_with(logical_id, resource, Removal::Delete)
    }

    fn add_with<D: Declare>(
        &mut self,
        logical_id: impl AsRef<str>,
        resource: D,
        in_production: Removal,
    ) -> Handle<D::Resource> {
        let deletion = if self.stage.is_production() { in_production } else { Removal::Delete };
        // A replacement knows no creation that is rolled back.
        // <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-updatereplacepolicy.html>
        let replacement = match &deletion {
            Removal::RetainExceptOnCreate => Removal::Retain,
            other => other.clone(),
        };
        self.template.add(logical_id, resource.deletion_policy(deletion).update_replace_policy(replacement))
    }

    /// Holds unless the stack goes to an emulator.
    pub(crate) fn on_aws(&mut self) -> Condition {
        if let Some(condition) = &self.on_aws {
            return condition.clone();
        }
        let emulator = self.template.parameter(parameters::LOCAL_EMULATOR, parameters::local_emulator());
        let condition = self.template.condition("OnAws", Test::not(Test::equals(&emulator, "true")));
        self.on_aws = Some(condition.clone());
        condition
    }

    /// Holds when the stack goes to an emulator.
    pub(crate) fn on_emulator(&mut self) -> Condition {
        if let Some(condition) = &self.on_emulator {
            return condition.clone();
        }
        let on_aws = self.on_aws();
        let condition = self.template.condition("OnEmulator", Test::not(&on_aws));
        self.on_emulator = Some(condition.clone());
        condition
    }

    /// Tells a value to people, programs and later stacks.
    pub(crate) fn output(
        &mut self,
        name: impl AsRef<str>,
        value: impl Into<Value<String>>,
        description: impl Into<String>,
    ) {
        self.template.output(name, Output::new(value).description(description));
    }

    /// An output of an earlier stack, which whoever deploys this one hands to it as a parameter of the same name.
    ///
    /// Not an export and an import: what is imported can neither change nor go, so nothing could ever be taken away.
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html>
    pub(crate) fn handed<T>(&mut self, from: StackId, output: impl AsRef<str>) -> Value<T> {
        let output = output.as_ref();
        if self.handed.insert(output.to_owned(), from.name()).is_none() {
            self.template.parameter(output, parameters::handed(from, output));
        }
        Value::from_json(json!({ "Ref": output }))
    }

    pub(crate) fn build(self) -> Result<Stack, SynthError> {
        let id = self.id.name();
        let built = self.template.build();
        let template = built.map_err(|error| SynthError::Template { stack: id, source: Box::new(error) })?;
        Ok(Stack { id, template, handed: self.handed })
    }
}
