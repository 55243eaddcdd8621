//! The rules that tell of executions that died.

use crate::start::System;
use anyhow::{Context, Result};
use aws_sdk_eventbridge::operation::describe_rule::DescribeRuleOutput;
use serde_json::{Map, Value as Json, json};

/// An account that there is not: a rule that asks for it matches no event. (LocalStack 4.12 delivers by disabled rules.)
const NO_ACCOUNT: &str = "nobody";

impl System {
    /// From now on no event tells that an execution died, until [`tell_of_deaths`](Self::tell_of_deaths): whoever dies
    /// meanwhile is found by a sweep only.
    ///
    /// # Errors
    /// When EventBridge does not change the rule.
    pub async fn lose_deaths(&self) -> Result<()> {
        self.change_rules_of_deaths(|pattern| {
            pattern.insert("account".to_owned(), json!([NO_ACCOUNT]));
        })
        .await
    }

    /// Events tell again that executions died.
    ///
    /// # Errors
    /// When EventBridge does not change the rule.
    pub async fn tell_of_deaths(&self) -> Result<()> {
        self.change_rules_of_deaths(|pattern| {
            pattern.remove("account");
        })
        .await
    }

    async fn change_rules_of_deaths(&self, change: impl Fn(&mut Map<String, Json>)) -> Result<()> {
        for (name, rule) in self.rules_of_deaths().await? {
            let mut pattern = serde_json::from_str(rule.event_pattern().unwrap_or_default())
                .with_context(|| format!("rule {name} has no pattern"))?;
            change(&mut pattern);
            let put =
                self.clients().eventbridge.put_rule().name(&name).event_pattern(json!(pattern).to_string());
            let put = put.set_description(rule.description).set_state(rule.state).send().await;
            put.with_context(|| format!("cannot change rule {name}"))?;
        }
        Ok(())
    }

    /// The rules for events that send to the queue of `rescue`; the schedule of its sweeps is another.
    async fn rules_of_deaths(&self) -> Result<Vec<(String, DescribeRuleOutput)>> {
        let queue = self.queue_arn("rescue").await?;
        let eventbridge = &self.clients().eventbridge;
        let told = eventbridge.list_rule_names_by_target().target_arn(&queue).send().await;
        let names = told.context("cannot ask which rules tell the rescue function")?.rule_names;
        let mut rules = Vec::new();
        for name in names.unwrap_or_default() {
            let rule = eventbridge.describe_rule().name(&name).send().await;
            let rule = rule.with_context(|| format!("cannot describe rule {name}"))?;
            if rule.event_pattern().is_some_and(|pattern| !pattern.is_empty()) {
                rules.push((name, rule));
            }
        }
        anyhow::ensure!(!rules.is_empty(), "no rule tells the rescue function of executions that died");
        Ok(rules)
    }
}
