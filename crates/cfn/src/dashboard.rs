//! The body of a dashboard, from typed widgets laid out in rows.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html>

use serde_json::{Value as Json, json};

use crate::cloudwatch::Alarm;
use crate::declaration::Handle;
use crate::json_text;
use crate::metric::{MathExpression, Metric};
use crate::pseudo;
use crate::value::Value;

/// The width of a dashboard, in grid units.
const WIDTH: usize = 24;

/// The body of a dashboard: rows of widgets.
#[derive(Debug, Clone, Default)]
pub struct DashboardBody {
    rows: Vec<(usize, Vec<Widget>)>,
}

impl DashboardBody {
    /// An empty dashboard.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a row of widgets of the same width, up to 24 of them, 6 grid units high.
    #[must_use]
    pub fn row(self, widgets: impl IntoIterator<Item = Widget>) -> Self {
        self.row_of_height(6, widgets)
    }

    /// Adds a row of another height, in grid units. Range: 1 to 1,000.
    #[must_use]
    pub fn row_of_height(mut self, height: usize, widgets: impl IntoIterator<Item = Widget>) -> Self {
        self.rows.push((height, widgets.into_iter().collect()));
        self
    }

    fn to_json(&self) -> Json {
        let mut top = 0;
        let mut widgets = Vec::new();
        for (height, row) in &self.rows {
            let width = WIDTH / row.len().clamp(1, WIDTH);
            for (column, widget) in row.iter().enumerate() {
                widgets.push(json!({
                    "type": widget.kind,
                    "x": column * width,
                    "y": top,
                    "width": width,
                    "height": height,
                    "properties": widget.properties,
                }));
            }
            top += height;
        }
        json!({ "widgets": widgets })
    }
}

#[diagnostic::do_not_recommend]
impl From<DashboardBody> for Value<String> {
    /// The body as text, in which references to resources are substituted.
    fn from(body: DashboardBody) -> Self {
        json_text::substituted(&body.to_json())
    }
}

/// A widget of a dashboard.
#[derive(Debug, Clone)]
pub struct Widget {
    kind: &'static str,
    properties: Json,
}

impl Widget {
    /// A graph of metrics and expressions over time.
    ///
    /// The ids of the metrics of expressions must be unique within one graph.
    #[must_use]
    pub fn graph(title: impl Into<String>, series: impl IntoIterator<Item = impl Into<Series>>) -> Self {
        let mut lines = Vec::new();
        for (index, series) in series.into_iter().enumerate() {
            series.into().append_to(&mut lines, index);
        }
        Self {
            kind: "metric",
            properties: json!({
                "title": title.into(),
                "view": "timeSeries",
                "region": pseudo::region(),
                "metrics": lines,
            }),
        }
    }

    /// The last value of metrics and expressions, as numbers.
    #[must_use]
    pub fn numbers(title: impl Into<String>, series: impl IntoIterator<Item = impl Into<Series>>) -> Self {
        let mut widget = Self::graph(title, series);
        widget.properties["view"] = json!("singleValue");
        widget
    }

    /// Text in Markdown.
    #[must_use]
    pub fn text(markdown: impl Into<String>) -> Self {
        Self { kind: "text", properties: json!({ "markdown": markdown.into() }) }
    }

    /// The state of alarms, 1 to 100 of them.
    #[must_use]
    pub fn alarms<'a>(title: impl Into<String>, alarms: impl IntoIterator<Item = &'a Handle<Alarm>>) -> Self {
        let alarms: Vec<_> = alarms.into_iter().map(Handle::<Alarm>::arn).collect();
        Self { kind: "alarm", properties: json!({ "title": title.into(), "alarms": alarms }) }
    }
}

/// What a graph shows: a metric or an expression.
#[derive(Debug, Clone)]
pub enum Series {
    /// A metric.
    Metric(Metric),
    /// An expression over metrics, which are not shown themselves.
    Math(MathExpression),
}

impl From<Metric> for Series {
    fn from(metric: Metric) -> Self {
        Self::Metric(metric)
    }
}

impl From<MathExpression> for Series {
    fn from(expression: MathExpression) -> Self {
        Self::Math(expression)
    }
}

impl Series {
    fn append_to(self, lines: &mut Vec<Json>, index: usize) {
        match self {
            Self::Metric(metric) => lines.push(line(&metric, None)),
            Self::Math(math) => {
                lines.push(json!([{
                    "expression": math.expression,
                    "label": math.label,
                    "id": format!("result{index}"),
                }]));
                lines.extend(math.metrics.iter().map(|(id, metric)| line(metric, Some(id))));
            }
        }
    }
}

/// A metric as dashboards write it: namespace, name, dimensions, options. Those with an id are not shown.
fn line(metric: &Metric, hidden_id: Option<&str>) -> Json {
    let mut options =
        json!({ "stat": metric.statistic, "period": Value::<crate::kind::Seconds>::from(metric.period) });
    if let Some(label) = &metric.label {
        options["label"] = json!(label);
    }
    if let Some(id) = hidden_id {
        options["id"] = json!(id);
        options["visible"] = json!(false);
    }
    let mut line = vec![json!(metric.namespace), json!(metric.name)];
    line.extend(metric.dimensions.iter().flat_map(|(name, value)| [json!(name), json!(value)]));
    line.push(options);
    Json::Array(line)
}

#[cfg(all(test, feature = "default"))]
mod tests {
    use super::*;
    use crate::sqs::Queue;

    fn text_of(body: DashboardBody) -> String {
        let value: Value<String> = body.into();
        value.as_json()["Fn::Sub"].as_str().expect("a substitution").to_owned()
    }

    #[test]
    fn widgets_share_the_width_of_their_row() {
        let body = DashboardBody::new()
            .row([Widget::text("a"), Widget::text("b"), Widget::text("c")])
            .row_of_height(2, [Widget::text("d")]);
        let json = body.to_json();
        let place = |i: usize, key: &str| json["widgets"][i][key].as_u64().expect("a number");
        assert_eq!((place(1, "x"), place(1, "y"), place(1, "width")), (8, 0, 8));
        assert_eq!((place(3, "x"), place(3, "y"), place(3, "width"), place(3, "height")), (0, 6, 24, 2));
    }

    #[test]
    fn references_become_substitutions() {
        let queue: Handle<Queue> = Handle::new("Orders");
        let graph = Widget::graph("Orders", [queue.metric_approximate_number_of_messages_visible()]);
        let text = text_of(DashboardBody::new().row([graph]));
        assert!(text.contains(r#""${Orders.QueueName}""#), "{text}");
        assert!(text.contains(r#""region": "${AWS::Region}""#), "{text}");
    }

    #[test]
    fn the_metrics_of_an_expression_are_hidden() {
        let queue: Handle<Queue> = Handle::new("Orders");
        let math = MathExpression::new("a * 2", "twice").using("a", queue.metric_number_of_messages_sent());
        let json = DashboardBody::new().row([Widget::graph("Orders", [math])]).to_json();
        let metrics = &json["widgets"][0]["properties"]["metrics"];
        assert_eq!(metrics[0][0]["expression"], "a * 2");
        assert_eq!(metrics[1][4]["visible"], false);
    }
}
