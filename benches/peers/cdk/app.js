// The order saga as people write it with aws-cdk-lib: the queues, functions, tables, topics, state machine and alarms of
// stacks/templates/prod, in one stack. It exists to be measured, not to be deployed.

const fs = require("node:fs");
const path = require("node:path");
const { App, Duration, Stack, RemovalPolicy } = require("aws-cdk-lib");
const cloudwatch = require("aws-cdk-lib/aws-cloudwatch");
const actions = require("aws-cdk-lib/aws-cloudwatch-actions");
const dynamodb = require("aws-cdk-lib/aws-dynamodb");
const lambda = require("aws-cdk-lib/aws-lambda");
const sources = require("aws-cdk-lib/aws-lambda-event-sources");
const logs = require("aws-cdk-lib/aws-logs");
const s3 = require("aws-cdk-lib/aws-s3");
const sns = require("aws-cdk-lib/aws-sns");
const subscriptions = require("aws-cdk-lib/aws-sns-subscriptions");
const sqs = require("aws-cdk-lib/aws-sqs");
const sfn = require("aws-cdk-lib/aws-stepfunctions");

const TEMPLATES = path.join(__dirname, "../../../stacks/templates/prod");

class OrderSaga extends Stack {
  constructor(scope, id) {
    super(scope, id);
    this.operators = new sns.Topic(this, "OperatorsTopic");
    this.code = s3.Bucket.fromBucketName(this, "Code", "artifacts");

    const orders = new sns.Topic(this, "OrderTopic");
    const events = new sns.Topic(this, "OrderEventsTopic");
    const parked = this.table("ParkedTable", "saga_id", "what");

    const participants = { Orders: "order_id", Inventory: "sku", Payment: "charge_id" };
    const queues = {};
    for (const [name, key] of Object.entries(participants)) {
      const { queue, fn } = this.worker(name);
      queues[name.toLowerCase()] = queue;
      const entity = this.table(`${name}Table`, key);
      const fences = this.table(`${name}FenceTable`, "saga_id", "step", "expires_at");
      for (const table of [entity, fences]) {
        table.grantReadWriteData(fn);
      }
      fn.addEnvironment("TABLE", entity.tableName);
      fn.addEnvironment("FENCE_TABLE", fences.tableName);
    }
    const machine = this.machine(queues, events, parked);
    for (const alarm of ["metricFailed", "metricTimedOut", "metricAborted"]) {
      this.alarm(`${alarm.replace("metric", "Executions")}Alarm`, machine[alarm]());
    }

    const intake = this.worker("OrderIntake");
    machine.grantStartExecution(intake.fn);
    intake.fn.addEnvironment("STATE_MACHINE", machine.stateMachineArn);
    orders.addSubscription(new subscriptions.SqsSubscription(intake.queue, { rawMessageDelivery: true }));
    const notification = this.worker("Notification");
    events.addSubscription(new subscriptions.SqsSubscription(notification.queue, { rawMessageDelivery: true }));
  }

  worker(name) {
    const dead = new sqs.Queue(this, `${name}DeadLetterQueue`, { retentionPeriod: Duration.days(14) });
    const queue = new sqs.Queue(this, `${name}Queue`, {
      visibilityTimeout: Duration.seconds(180),
      deadLetterQueue: { queue: dead, maxReceiveCount: 5 },
    });
    const logGroup = new logs.LogGroup(this, `${name}LogGroup`, {
      retention: logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const fn = new lambda.Function(this, `${name}Function`, {
      runtime: lambda.Runtime.PROVIDED_AL2023,
      architecture: lambda.Architecture.ARM_64,
      handler: "bootstrap",
      code: lambda.Code.fromBucket(this.code, `${name}.zip`),
      memorySize: 256,
      timeout: Duration.seconds(30),
      tracing: lambda.Tracing.ACTIVE,
      logGroup,
    });
    fn.addEventSource(new sources.SqsEventSource(queue, { batchSize: 10, maxConcurrency: 10, reportBatchItemFailures: true }));
    this.alarm(`${name}DeadLettersAlarm`, dead.metricApproximateNumberOfMessagesVisible());
    this.alarm(`${name}ErrorsAlarm`, fn.metricErrors());
    return { queue, fn };
  }

  table(id, partition, sort, timeToLiveAttribute) {
    const text = (name) => ({ name, type: dynamodb.AttributeType.STRING });
    return new dynamodb.Table(this, id, {
      partitionKey: text(partition),
      sortKey: sort && text(sort),
      timeToLiveAttribute,
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      encryption: dynamodb.TableEncryption.AWS_MANAGED,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
    });
  }

  machine(queues, events, parked) {
    const definition = fs.readFileSync(path.join(TEMPLATES, "order.asl.json"), "utf8");
    const substitutions = {};
    for (const [, name] of definition.matchAll(/\$\{(\w+)\}/g)) {
      const queue = Object.entries(queues).find(([participant]) => name.toLowerCase().includes(participant));
      substitutions[name] = queue ? queue[1].queueUrl : /topic/i.test(name) ? events.topicArn : parked.tableName;
    }
    const machine = new sfn.StateMachine(this, "OrderStateMachine", {
      definitionBody: sfn.DefinitionBody.fromString(definition),
      definitionSubstitutions: substitutions,
      tracingEnabled: true,
    });
    Object.values(queues).forEach((queue) => queue.grantSendMessages(machine));
    events.grantPublish(machine);
    parked.grantWriteData(machine);
    return machine;
  }

  alarm(id, metric) {
    const alarm = new cloudwatch.Alarm(this, id, {
      metric,
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new actions.SnsAction(this.operators));
  }
}

const app = new App({ analyticsReporting: false });
new OrderSaga(app, "OrderSaga");
app.synth();
