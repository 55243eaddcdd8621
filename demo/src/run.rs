//! The demo from one end to the other.

use crate::{
    arguments::Arguments,
    evidence::Evidence,
    format::grouped,
    functions,
    gather::{self, Before},
    input,
    interrupt::Interrupt,
    plan::{Payment, Plan},
    report,
    screen::{Colour, Screen},
    tally::Tally,
    traffic, verdict,
};
use anyhow::{Context, Result};
use emulator::{EmulatorConfig, detached};
use std::{
    net::{Ipv4Addr, TcpListener},
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};
use system::{Packaging, System, SystemConfig};

/// Where the emulator listens if nothing else is asked for.
const DEFAULT_PORT: u16 = 4566;
/// Where the gateway listens if it can: at the same place in every run, so that a deployment need not change.
const DEFAULT_GATEWAY_PORT: u16 = 4567;

/// The functions with a queue that orders pass through.
const FUNCTIONS: [&str; 5] = ["order-intake", "orders", "inventory", "payment", "notification"];

/// How long their queues hide what was delivered: not six times as long as a function may take, as is deployed, but little
/// longer than that, so that nobody waits for the orders whose charge is never answered.
pub(crate) const HIDDEN_SECONDS: u32 = 4;

/// How the demo ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Nothing was lost.
    Well,
    /// Something was.
    Lost,
    /// By Ctrl-C.
    Interrupted,
}

/// Runs it.
///
/// # Errors
/// When the input cannot be used or something does not start.
pub(crate) async fn run(arguments: &Arguments) -> Result<End> {
    let interrupt = Interrupt::listen().context("cannot listen for Ctrl-C")?;
    let screen = Screen::new();
    arguments.check()?;
    let emulator = attached(arguments)?;
    let prefix = prefix(arguments, emulator.is_some());
    let plan = read(arguments, &prefix, screen)?;
    let known = Mutex::new(Tally { total: plan.orders.len(), ..Tally::default() });
    let attached = emulator.is_some();
    let evidence = tokio::select! {
        evidence = act(arguments, &plan, emulator, &known, screen) => evidence?,
        () = interrupt.wait() => {
            // What ran was dropped with the future, and with it everything that it had started.
            interrupted(screen, &known, attached);
            return Ok(End::Interrupted);
        }
    };
    Ok(judge(screen, &evidence))
}

/// An emulator that runs already.
struct Attached {
    endpoint: String,
    /// Whether it enforces IAM, where that is known.
    iam_enforced: Option<bool>,
}

/// The running emulator to use, if there is one.
fn attached(arguments: &Arguments) -> Result<Option<Attached>> {
    if let Some(endpoint) = arguments.endpoint() {
        return Ok(Some(Attached { endpoint: endpoint.to_owned(), iam_enforced: None }));
    }
    if arguments.port.is_some() {
        return Ok(None);
    }
    let running = detached::status(&EmulatorConfig::default())?;
    Ok(running
        .map(|running| Attached { endpoint: running.endpoint_url, iam_enforced: Some(running.iam_enforced) }))
}

/// What is said of the emulator that the demo uses.
fn emulator_note(iam_enforced: Option<bool>) -> &'static str {
    match iam_enforced {
        Some(true) => ", which runs already, IAM enforced",
        Some(false) => ", which runs already, IAM NOT enforced: no missing permission will be found",
        None => ", which was there already: whether it enforces IAM is not known",
    }
}

/// Ids of an earlier run must not come again on an emulator that remembers it.
fn prefix(arguments: &Arguments, attached: bool) -> String {
    match &arguments.run {
        Some(run) => format!("{run}-"),
        None if attached => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            format!("r{:x}-", now.as_secs())
        }
        None => String::new(),
    }
}

fn read(arguments: &Arguments, prefix: &str, screen: Screen) -> Result<Plan> {
    let step = screen.step("input");
    let orders = input::orders(&arguments.orders_file(), prefix)?;
    let products = input::stock(&arguments.stock_file(), prefix)?;
    let plan = Plan::new(&orders, &products, prefix, arguments);
    let lines: usize = plan.orders.iter().map(|order| order.placed.lines.len()).sum();
    let (orders, products, customers) = (plan.orders.len(), plan.stock.len(), plan.customers.0);
    let ids = if prefix.is_empty() { String::new() } else { format!(", ids begin with {prefix}") };
    let (orders, lines) = (grouped(orders), grouped(lines));
    step.done(&format!("{orders} orders, {lines} lines, {products} products, {customers} customers{ids}"));
    Ok(plan)
}

/// Everything that needs the emulator. Dropping the future stops what it has started.
async fn act(
    arguments: &Arguments,
    plan: &Plan,
    attached: Option<Attached>,
    known: &Mutex<Tally>,
    screen: Screen,
) -> Result<Evidence> {
    let system = Arc::new(start(arguments, attached, screen).await?);
    for function in FUNCTIONS {
        system.hide_messages_for(function, HIDDEN_SECONDS).await?;
    }
    let before = Before::look(&system, plan).await?;
    let step = screen.step("stock");
    let stock: Vec<(&str, u32)> = plan.stock.iter().map(|(sku, units)| (sku.as_str(), *units)).collect();
    system.load_stock(&stock).await?;
    step.done(&stock_text(arguments, plan));
    for line in fates(arguments, plan) {
        screen.line(&line);
    }
    let progress = screen.progress(plan.orders.len());
    let traffic = traffic::run(&system, plan, arguments.in_flight, known, &progress).await?;
    drop(progress);
    let step = screen.step("books");
    step.now("until no message is left in a queue …");
    let evidence = gather::gather(&system, plan, &traffic, &before).await?;
    step.done("read from the executions, the tables, the queues and the gateway");
    screen.line(&report::tables(&evidence, screen.width()));
    screen.line(&where_next(&system));
    Ok(evidence)
}

async fn start(arguments: &Arguments, attached: Option<Attached>, screen: Screen) -> Result<System> {
    if !arguments.skip_package {
        let step = screen.step("functions");
        let packaged = functions::build(&step).await?;
        step.done(&packaged);
    }
    let port = match (arguments.port, &attached) {
        (Some(port), _) => port,
        (None, Some(_)) => 0,
        (None, None) => free_or_any(DEFAULT_PORT),
    };
    let gateway_port = free_or_any(DEFAULT_GATEWAY_PORT);
    let package = Packaging::Reuse;
    let emulator = match (&attached, port) {
        (Some(attached), _) => emulator_note(attached.iam_enforced).to_owned(),
        (None, 0) => format!(", IAM enforced (port {DEFAULT_PORT} is taken)"),
        (None, _) => ", IAM enforced".to_owned(),
    };
    let endpoint = attached.map(|attached| attached.endpoint);
    let config = SystemConfig { endpoint, port, gateway_port, package, ..SystemConfig::default() };
    let stacks = format!("{}-", config.deployment);
    // The emulator and the gateway come first, then the deployment, of which the stacks are told.
    let mut names = [("emulator", emulator), ("gateway", String::new())].into_iter();
    let mut step = screen.step("emulator");
    System::start(config, &mut |said| match names.next() {
        Some((name, note)) => step.end(name, &format!("{said}{note}")),
        // Its own time is CloudFormation's; the step's has the upload and the change set too.
        None if said.starts_with(&stacks) => step.end("deploy", said.split(" after ").next().unwrap_or(said)),
        None => step.now(said),
    })
    .await
}

/// The port, or 0 for any free one when it is taken.
fn free_or_any(port: u16) -> u16 {
    if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() { port } else { 0 }
}

fn stock_text(arguments: &Arguments, plan: &Plan) -> String {
    let (stocked, demanded) = (grouped(plan.units_stocked()), grouped(plan.units_demanded));
    match arguments.stock_share() {
        Some(share) => {
            format!("{stocked} units for {demanded} ordered: {share} % by product, or its largest line")
        }
        None => format!("{stocked} units, as the file says, for {demanded} ordered"),
    }
}

/// What will happen to the orders, by shares.
fn fates(arguments: &Arguments, plan: &Plan) -> [String; 3] {
    let payments = plan.payments();
    let share = |percent: u8, what: &str, payment: Payment| {
        format!("{percent} % {what} ({})", payments.get(&payment).copied().unwrap_or_default())
    };
    let declined = share(arguments.decline, "declined", Payment::Decline);
    let slow = share(arguments.slow, "slow", Payment::Slow);
    let lossy = share(arguments.lossy, "charged and never answered", Payment::Lossy);
    let lossy_once = share(arguments.lossy_once, "charged and answered when asked again", Payment::LossyOnce);
    let cancels = format!("{} % of orders cancelled shortly after ({})", arguments.cancel, plan.cancels());
    let (customers, sms) = plan.customers;
    [
        format!("  payments   {declined}, {slow}, {lossy},"),
        format!("             {lossy_once}, the rest approved; seed {}", arguments.seed),
        format!("  customers  {cancels}, {} % want SMS ({sms} of {customers})", arguments.sms),
    ]
}

/// Where to look: files in the project by their path in it.
fn where_next(system: &System) -> String {
    let root = infra_gen::project::root().unwrap_or_default();
    let up = detached::status(&EmulatorConfig::default()).ok().flatten();
    let up = up.filter(|running| running.endpoint_url == system.endpoint());
    let log = system.log_file().or(up.as_ref().map(|running| running.log.as_path()));
    let log = log.map(|log| log.strip_prefix(root).unwrap_or(log).display().to_string());
    let log = log.map_or_else(String::new, |log| format!("\n  all logs    {log}"));
    format!("\n  the saga    stacks/templates/order.svg{log}")
}

fn interrupted(screen: Screen, known: &Mutex<Tally>, attached: bool) {
    let tally = *known.lock().unwrap_or_else(PoisonError::into_inner);
    let left =
        if attached { "the emulator runs on, the gateway is stopped" } else { "nothing is left running" };
    let known = match tally.published {
        0 => "nothing was published".to_owned(),
        published => format!("{published} of {} orders were published · {}", tally.total, tally.parts()),
    };
    screen.line(&format!("\ninterrupted: {known} · {left}"));
}

fn judge(screen: Screen, evidence: &Evidence) -> End {
    let problems = verdict::problems(evidence);
    let orders = grouped(evidence.orders.len());
    if problems.is_empty() {
        let text = format!(
            "✓ nothing was lost: {orders} of {orders} orders accounted for, stock to the unit, money to the cent"
        );
        screen.line(&screen.paint(Colour::Green, &text));
        return End::Well;
    }
    screen.line(&screen.paint(Colour::Red, "✗ this is not as it must be:"));
    for problem in problems {
        screen.line(&format!("  - {problem}"));
    }
    End::Lost
}
