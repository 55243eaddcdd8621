#!/usr/bin/env python3
"""Turns the AWS service database of the CDK into the facts of this folder: one text file per service.

The database is the npm package below (Apache-2.0, see NOTICE), pinned by version and digest. What the build script of
`cfn` does not use is dropped. Every property is one line, in alphabetical order, so that an AWS update is a diff a
person can read.

    generate.py [archive.tgz]      # without an argument the archive is fetched with `npm pack`
"""

import gzip
import hashlib
import io
import json
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

PACKAGE = "@aws-cdk/aws-service-spec"
VERSION = "0.1.216"
SHA512 = "3b72eeeafe89e919c8f847a79256f0f36dfb915eb8713a4cf784045e695c9ac200ce170aadd77ea80a598654cbf87dc80edd493fa56985b77e38e9aaeabf29ab"

HERE = pathlib.Path(__file__).parent
DOC_CHARS = 180
# Sources of events that are named otherwise than the service of the resource types.
EVENT_SOURCES = {
    "acm": "certificatemanager",
    "aidevops": "devopsagent",
    "airflow": "mwaa",
    "bcmdashboards": "bcm",
    "ec2fleet": "ec2",
    "ec2spotfleet": "ec2",
    "geo": "location",
    "medicalimaging": "healthimaging",
    "monitoring": "cloudwatch",
    "redshiftdata": "redshift",
    "schemas": "eventschemas",
    "states": "stepfunctions",
    "supplychain": "scn",
}
UNITS_OF_NAMES = [
    (r"(Millis|Milliseconds|[a-z]Ms)$", "milliseconds"),
    (r"(Seconds|[a-z]Sec|[a-z]Secs)$", "seconds"),
    (r"[a-z]Minutes$|^Minutes$", "minutes"),
    (r"[a-z]Hours$|^Hours$", "hours"),
    (r"[a-z]Days$|^Days$", "days"),
    (r"(KiB|InKB|KiloBytes|Kilobytes)$", "kibibytes"),
    (r"(MiB|InMB|InMBs|MegaBytes|Megabytes)$", "mebibytes"),
    (r"(GiB|InGB|InGBs|GigaBytes|Gigabytes)$", "gibibytes"),
    (r"Bytes$", "bytes"),
]
# AWS writes KB, MB and GB for powers of 1,024.
UNITS_OF_WORDS = {
    **{unit: unit for unit in ("milliseconds", "seconds", "minutes", "hours", "days", "bytes", "kibibytes", "mebibytes")},
    **{"second": "seconds", "byte": "bytes", "gibibytes": "gibibytes"},
    **{"kilobytes": "kibibytes", "kb": "kibibytes", "kib": "kibibytes"},
    **{"megabytes": "mebibytes", "mb": "mebibytes", "mbs": "mebibytes", "mib": "mebibytes"},
    **{"gigabytes": "gibibytes", "gb": "gibibytes", "gib": "gibibytes", "gibs": "gibibytes"},
}
UNIT_WORDS = "|".join(sorted(UNITS_OF_WORDS, key=len, reverse=True))


def archive_bytes(arguments):
    """The archive of the package, checked against the pinned digest."""
    if arguments:
        data = pathlib.Path(arguments[0]).read_bytes()
    else:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(
                ["npm", "pack", "--silent", f"{PACKAGE}@{VERSION}"], cwd=folder, check=True, stdout=subprocess.DEVNULL
            )
            data = next(pathlib.Path(folder).glob("*.tgz")).read_bytes()
    digest = hashlib.sha512(data).hexdigest()
    if digest != SHA512:
        sys.exit(f"{PACKAGE}@{VERSION} has the digest {digest}: expected {SHA512}; pin the version you mean")
    return data


def read_schema(archive):
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        member = tar.extractfile("package/db.json.gz")
        return json.loads(gzip.decompress(member.read()))["schema"]


class Database:
    """The entities of the database by id, and the relationships between them."""

    def __init__(self, schema):
        self.tables = {name: {e["$id"]: e for e in t["entities"]} for name, t in schema.items() if "entities" in t}
        self.links = {name: t["forward"] for name, t in schema.items() if "forward" in t}
        self.resources = {r["cloudFormationType"]: r for r in self.tables["resource"].values()}
        holders = [*self.tables["resource"].values(), *self.tables["typeDefinition"].values()]
        properties = [prop for holder in holders for prop in holder["properties"].values()]
        self.referred = {reference for prop in properties for reference in self.references(prop)}

    def linked(self, link, entity, table):
        return [self.tables[table][other["$id"]] for other in self.links[link].get(entity["$id"], [])]

    def references(self, prop):
        """What a property refers to, as in `AWS::SQS::Queue.Arn`; a few name what their resource does not have."""
        pairs = {(r["cloudFormationType"], r["propertyName"]) for r in prop.get("relationshipRefs", [])}
        return [f"{of}.{name}" for of, name in sorted(pairs) if self.has(of, name)]

    def has(self, resource_type, name):
        resource = self.resources.get(resource_type)
        own = [resource_type.rsplit("::", 1)[1] + "Name", "Arn", "Id"]
        return resource and name in [*resource["attributes"], *resource["properties"], *own]


def sentences(text):
    """The sentences of a description as plain text."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text or "")
    text = re.sub(r"<[^>]*>", "", text)
    text = re.split(r"\n\s*\n|\n\s*[-*>|] ", text)[0].replace("\n", " ")
    text = re.sub(r"\s+", " ", text.replace("``", "`")).strip()
    text = re.sub(r" ([.,;:])(?= |$)", r"\1", text)
    return [s for s in re.split(r"(?<=[.!?])\s+(?=[A-Z`\"(])", text) if s]


def summary(text):
    """What a reader needs first: the first sentence, and the one that states a default or a limit."""
    all_sentences = sentences(text)
    if not all_sentences:
        return None
    chosen = all_sentences[0]
    if len(chosen) > DOC_CHARS:
        chosen = chosen[:DOC_CHARS].rsplit(" ", 1)[0] + " …"
    useful = re.compile(r"\bdefault|must be|between|at most|maximum|up to|valid values", re.I)
    for other in all_sentences[1:]:
        if useful.search(other) and len(other) <= 140 and len(chosen) + len(other) <= DOC_CHARS:
            chosen += " " + other
    return chosen.replace("`", "'") if chosen.count("`") % 2 else chosen


def unit_of(name, leaf, prop):
    """The unit of a number, from its name or from how it is described."""
    if leaf not in ("integer", "number"):
        return None
    unit = unit_named(name) or unit_described(name, prop.get("documentation"))
    # A fraction of a gibibyte is allowed where AWS takes any number.
    return None if leaf == "number" and unit in ("kibibytes", "mebibytes", "gibibytes") else unit


def unit_named(name):
    if re.search(r"(Per(Second|Minute|Hour|Day|Unit)|Throughput|Rate|Bandwidth|Percent)", name):
        return None
    return next((unit for pattern, unit in UNITS_OF_NAMES if re.search(pattern, name)), None)


def unit_described(name, documentation):
    if re.search(r"(Count|Number|Factor|Percent|Micro|Units?|Rate|Timestamp|Epoch|Date|Throughput|Bandwidth)", name):
        return None
    text = " ".join(sentences(documentation)[:2])
    if re.search(r"per (second|minute|hour|day)|/ ?s\b|bps\b|epoch|timestamp|micros|the date", text, re.I):
        return None
    is_moment = re.search(r"(Time|Hour|Day|Days)$", name) and not re.search(r"(time|period|how long)\b.* in ", text, re.I)
    said = {word.lower() for word in re.findall(rf"\b(?:in|of|many) \(?({UNIT_WORDS})\b", text, re.I)}
    said |= {word.lower() for word in re.findall(rf"\(({UNIT_WORDS})\)", text, re.I)}
    units = {UNITS_OF_WORDS[word] for word in said}
    if len(units) == 1 and not is_moment:
        return units.pop()
    if not units and re.search(r"(Timeout|Period|Duration|Interval|Delay|Ttl|TTL)", name):
        all_text = re.sub(r"\s+", " ", documentation or "").lower()
        found = set(re.findall(r"[\d,]+ ?\)? ?(seconds|minutes|hours|days)\b", all_text))
        if "seconds" in found and "milliseconds" not in all_text:
            return "seconds"
    return None


def notation(database, kind):
    """A type as text, and the values it allows."""
    name = kind["type"]
    if name == "ref":
        return "#" + database.tables["typeDefinition"][kind["reference"]["$ref"]]["name"], []
    if name in ("array", "map"):
        inner, values = notation(database, kind["element"])
        return f"{'list' if name == 'array' else 'map'}({inner})", values
    if name == "union":
        parts = sorted({notation(database, part)[0] for part in kind["types"]})
        return "any(" + "|".join(parts) + ")", []
    return {"date-time": "string", "null": "json"}.get(name, name), list(kind.get("allowedValues", []))


def property_facts(database, name, prop):
    kind, values = notation(database, prop["type"])
    facts = {"type": kind}
    if values:
        facts["values"] = values
    if prop.get("required"):
        facts["required"] = True
    if prop.get("causesReplacement", "no") != "no":
        facts["replace"] = prop["causesReplacement"]
    if refs := database.references(prop):
        facts["refs"] = refs
    if unit := unit_of(name, kind, prop):
        facts["unit"] = unit
    if prop.get("defaultValue") not in (None, ""):
        facts["default"] = str(prop["defaultValue"]).strip()[:80]
    if prop.get("deprecated") == "WARN":
        facts["deprecated"] = True
    if doc := summary(prop.get("documentation")):
        facts["doc"] = doc
    return facts


def members(database, properties):
    kept = {name: p for name, p in properties.items() if p.get("deprecated") != "IGNORE"}
    return {name: property_facts(database, name, prop) for name, prop in sorted(kept.items())}


def type_facts(database, definition):
    facts = {}
    if doc := summary(definition.get("documentation")):
        facts["doc"] = doc
    facts["properties"] = members(database, definition["properties"])
    return facts


def attribute_facts(database, resource_type, name, attribute):
    facts = {"type": notation(database, attribute["type"])[0]}
    if f"{resource_type}.{name}" in database.referred:
        facts["referred"] = True
    if doc := summary(attribute.get("documentation")):
        facts["doc"] = doc
    return facts


def plain(name):
    return re.sub(r"[^a-z0-9]", "", name.lower())


def dimension_of(resource, dimension):
    """What of a resource a dimension is named by: an attribute, `Ref`, or a property; None when nothing tells."""
    short = resource["cloudFormationType"].rsplit("::", 1)[1]
    own, wanted = plain(short), plain(dimension)
    words = [plain(word) for word in re.findall(r"[A-Z]+(?=[A-Z][a-z]|$)|[A-Z][a-z0-9]+", short)]
    is_own = wanted.endswith(own) or wanted in (own + "id", own + "name", own + "identifier")
    is_related = any(wanted.startswith(word) for word in [own, *words])

    def same(name):
        """`QueueName` or `Name` for a `QueueName`, `ApiId` for the `GraphQLAPIId` of a `GraphQLApi`."""
        rest = wanted.removesuffix(plain(name))
        if rest == wanted:
            return False
        is_rest = own.startswith(rest) and plain(name).startswith(own[len(rest) :])
        return is_related and (rest == "" or own.endswith(rest) or is_rest)

    reference = resource.get("cfnRefIdentifier") or resource.get("primaryIdentifier") or []
    only = reference[0] if len(reference) == 1 else ""
    for name in sorted(resource["attributes"], key=lambda name: (-len(name), name)):
        if name not in reference and (same(name) or plain(name) == wanted + "fullname"):
            return name
    if same(only):
        return "Ref"
    for name in sorted(resource["properties"]):
        if same(name) or plain(name) in (wanted + "name", own + wanted) or (wanted == own and name == "Name"):
            return name
    if is_own and only and not only.endswith("Arn"):
        return "Ref"
    if is_related:
        return "Ref" if wanted.endswith("id") and only.endswith("Id") and not wanted.startswith(own) else None
    return "Ref" if only == "Id" else None


def dimension_facts(database, resource, metric):
    """The smallest set of dimensions that has one of the resource: that one, and the others with their values."""
    values, sets = {}, []
    for entry in database.linked("usesDimensionSet", metric, "dimensionSet"):
        names = [d["name"] for d in entry["dimensions"]]
        if names not in sets:
            sets.append(names)
        for d in entry["dimensions"]:
            # A value that is the name again is a placeholder.
            if d.get("value") not in (None, d["name"]):
                values.setdefault(d["name"], set()).add(d["value"])
    found = []
    for names in sets:
        for name in names:
            of = None if name in values else dimension_of(resource, name)
            if of:
                others = [
                    other + ("=" + "|".join(sorted(values[other])) if other in values else "")
                    for other in sorted(names)
                    if other != name
                ]
                found.append({"dimension": name, "of": of, "others": others})
                break
    best = min(found, key=lambda facts: len(facts["others"]), default=None)
    if best and not best["others"]:
        del best["others"]
    return best


def metric_facts(database, resource):
    """The metrics of a resource, by a name that is unique within it."""
    found = {}
    metrics = database.linked("resourceHasMetric", resource, "metric")
    for metric in sorted(metrics, key=lambda metric: (metric["name"], metric["namespace"])):
        dimensions = dimension_facts(database, resource, metric)
        if not dimensions:
            continue
        facts = {"namespace": metric["namespace"], **dimensions, "statistic": metric["statistic"]}
        name = metric["name"]
        if name in found and found[name]["namespace"] != metric["namespace"]:
            facts["name"] = name
            name = metric["namespace"].rsplit("/", 1)[-1] + " " + name
        if doc := summary(metric.get("description")):
            facts["doc"] = doc
        found.setdefault(name, facts)
    return dict(sorted(found.items()))


def resource_facts(database, resource):
    facts = {}
    if doc := summary(resource.get("documentation")):
        facts["doc"] = doc
    facts["ref"] = resource.get("cfnRefIdentifier") or resource.get("primaryIdentifier") or []
    if resource.get("isStateful"):
        facts["stateful"] = True
    if resource.get("arnTemplate"):
        facts["arn"] = resource["arnTemplate"]
    if resource.get("tagInformation"):
        facts["tags"] = resource["tagInformation"]["tagPropertyName"]
    attributes = sorted(resource["attributes"].items())
    facts["attributes"] = {
        name: attribute_facts(database, resource["cloudFormationType"], name, attribute)
        for name, attribute in attributes
    }
    facts["properties"] = members(database, resource["properties"])
    definitions = sorted(database.linked("usesType", resource, "typeDefinition"), key=lambda d: d["name"])
    facts["types"] = {d["name"]: type_facts(database, d) for d in definitions}
    if metrics := metric_facts(database, resource):
        facts["metrics"] = metrics
    return facts


def service_of_event(event, services):
    """The service whose file holds the event: that of the rules, for a source that has no resource types."""
    source = event["source"].removeprefix("aws.").replace("-", "")
    by_name = {name.rsplit("::", 1)[1].lower(): name for name in services}
    return by_name.get(EVENT_SOURCES.get(source, source), "AWS::Events")


def event_references(database, event, definition, field):
    """The attribute that a field of an event is, where the database says of which resource."""
    for link in event["resourcesField"]:
        if link.get("fieldName") != field or link.get("type", {}).get("$ref") != definition["$id"]:
            continue
        resource = database.tables["resource"][link["resource"]["$ref"]]
        kind = resource["cloudFormationType"]
        wanted = {plain(field), plain(kind.rsplit("::", 1)[1] + field)}
        for name in sorted([*resource["attributes"], *resource["properties"]]):
            if plain(name) in wanted or plain(kind.rsplit("::", 1)[1] + name) in wanted:
                return [f"{kind}.{name}"]
    return []


def event_facts(database, event):
    """An event: what tells it apart, and the fields of its detail."""
    definitions, names = {}, {}

    def named(definition):
        if definition["$id"] not in names:
            name = definition["name"]
            while name in names.values():
                name += "_"
            names[definition["$id"]] = name
            definitions[name] = None
            definitions[name] = fields(definition)
        return names[definition["$id"]]

    def kind(of):
        if of["type"] == "ref":
            return "#" + named(database.tables["eventTypeDefinition"][of["reference"]["$ref"]])
        if of["type"] in ("array", "map"):
            return f"{'list' if of['type'] == 'array' else 'map'}({kind(of['element'])})"
        return "json" if of["type"] in ("union", "null") else of["type"]

    def fields(definition):
        found = {}
        for name, field in sorted(definition["properties"].items()):
            found[name] = {"type": kind(field["type"])}
            if refs := event_references(database, event, definition, name):
                found[name]["refs"] = refs
        return found

    detail = fields(database.tables["eventTypeDefinition"][event["rootProperty"]["$ref"]])
    types = {name: {"properties": definitions[name]} for name in sorted(definitions)}
    return {"source": event["source"], "detail-type": event["detailType"], "properties": detail, "types": types}


def events_by_service(database, services):
    """The events of each service, by a name that is unique within it."""
    found = {}
    for event in sorted(database.tables["event"].values(), key=lambda event: event["name"]):
        of_service = found.setdefault(service_of_event(event, services), {})
        source, name = event["name"].split("@")
        if name in of_service:
            name = "".join(word.capitalize() for word in re.split(r"[.-]", source)[1:]) + name
        of_service[name] = event_facts(database, event)
    return found


def written(value):
    """JSON with one member a line down to properties, which are one line each."""
    one_line = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    is_deep = isinstance(value, dict) and any(isinstance(v, dict) for v in value.values())
    if not is_deep:
        return one_line
    lines = [f"{json.dumps(key)}:{written(member)}" for key, member in value.items()]
    return "{\n" + ",\n".join(lines) + "\n}"


def write_features(features):
    """The features of the manifest: one per service, and `all`. The default ones are chosen by hand."""
    manifest = HERE.parent / "Cargo.toml"
    text = manifest.read_text(encoding="utf-8")
    before = text[: text.index("\nall = [")]
    listed = "".join(f'    "{feature}",\n' for feature in features)
    single = "".join(f"{feature} = []\n" for feature in features)
    manifest.write_text(f"{before}\nall = [\n{listed}]\n{single}", encoding="utf-8")


def main():
    database = Database(read_schema(archive_bytes(sys.argv[1:])))
    services = {}
    for resource in database.tables["resource"].values():
        name = resource["cloudFormationType"].rsplit("::", 1)[0]
        services.setdefault(name, {})[resource["cloudFormationType"]] = resource_facts(database, resource)
    folder = HERE / "services"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.json"):
        old.unlink()
    features = []
    events = events_by_service(database, services)
    counts = {"resources": 0, "types": 0, "properties": 0, "attributes": 0, "events": 0}
    for name, resources in sorted(services.items()):
        feature = name.split("::")[1].lower() if name.startswith("AWS::") else name.replace("::", "_").lower()
        features.append(feature)
        facts = {"service": name, "resources": dict(sorted(resources.items()))}
        if name in events:
            facts["events"] = dict(sorted(events[name].items()))
            counts["events"] += len(events[name])
        (folder / f"{feature}.json").write_text(written(facts) + "\n", encoding="utf-8")
        for resource in resources.values():
            counts["resources"] += 1
            counts["types"] += len(resource["types"])
            counts["attributes"] += len(resource["attributes"])
            counts["properties"] += len(resource["properties"])
            counts["properties"] += sum(len(t["properties"]) for t in resource["types"].values())
    write_features(sorted(features))
    source = {"package": PACKAGE, "version": VERSION, "services": len(services), **counts}
    (HERE / "source.json").write_text(json.dumps(source, indent=2) + "\n", encoding="utf-8")
    print(source)


if __name__ == "__main__":
    main()
