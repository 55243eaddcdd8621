//! The rules that tell of executions that died.

use crate::start::System;
use anyhow::{Context, Result};

impl System {
    /// From now on no event tells that an execution died, until [`tell_of_deaths`](Self::tell_of_deaths): whoever dies
    /// meanwhile is found by a sweep only.
    ///
    /// # Errors
    /// When EventBridge does not disable the rule.
    pub async fn lose_deaths(&self) -> Result<()> {
        for rule in self.rules_of_deaths().await? {
            let disabled = self.clients().eventbridge.disable_rule().name(&rule).send().await;
            disabled.with_context(|| format!("cannot disable rule {rule}"))?;
        }
        Ok(())
    }

    /// Events tell again that executions died.
    ///
    /// # Errors
    /// When EventBridge does not enable the rule.
    pub async fn tell_of_deaths(&self) -> Result<()> {
        for rule in self.rules_of_deaths().await? {
            let enabled = self.clients().eventbridge.enable_rule().name(&rule).send().await;
            enabled.with_context(|| format!("cannot enable rule {rule}"))?;
        }
        Ok(())
    }

    /// The rules for events that send to the queue of `rescue`; the schedule of its sweeps is another.
    async fn rules_of_deaths(&self) -> Result<Vec<String>> {
        let queue = self.queue_arn("rescue").await?;
        let eventbridge = &self.clients().eventbridge;
        let told = eventbridge.list_rule_names_by_target().target_arn(&queue).send().await;
        let names = told.context("cannot ask which rules tell the rescue function")?.rule_names;
        let mut rules = Vec::new();
        for name in names.unwrap_or_default() {
            let rule = eventbridge.describe_rule().name(&name).send().await;
            let rule = rule.with_context(|| format!("cannot describe rule {name}"))?;
            if rule.event_pattern.is_some_and(|pattern| !pattern.is_empty()) {
                rules.push(name);
            }
        }
        anyhow::ensure!(!rules.is_empty(), "no rule tells the rescue function of executions that died");
        Ok(rules)
    }
}
