//! `crosswalk mappings`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::resource_id;

/// Commands on mappings.
#[derive(Debug, Subcommand)]
pub(crate) enum MappingsCommand {
    /// Show the mappings of the instance
    List,
    /// Show one mapping with its fields and options
    #[command(after_help = "Example:\n  crosswalk mappings get contact --output json > contact.json")]
    Get {
        /// Id of the mapping
        #[arg(value_parser = resource_id)]
        mapping: String,
    },
    /// Create a mapping from a file, or change the present one to what the file says
    #[command(after_help = FILE_FORMAT)]
    Apply(ApplyArguments),
    /// Read the mapping's table anew at the next start of ingress, and write what differs
    #[command(after_help = REPLAY)]
    Replay {
        /// Id of the mapping
        #[arg(value_parser = resource_id)]
        mapping: String,
        /// Write what does not differ as well: for a Campaign that was changed by hand
        #[arg(long)]
        force: bool,
    },
    /// Show what the mapping makes of records and how that differs from what Campaign holds; writes nothing
    #[command(after_help = PREVIEW)]
    Preview(PreviewArguments),
    /// Go through the whole table and say what a start with the draft would do; writes nothing
    #[command(after_help = ESTIMATE)]
    Estimate {
        /// Id of the mapping
        #[arg(value_parser = resource_id)]
        mapping: String,
    },
    /// Delete a mapping; records in Campaign stay as they are
    Delete {
        /// Id of the mapping
        #[arg(value_parser = resource_id)]
        mapping: String,
    },
}

/// Arguments of `apply`.
#[derive(Debug, Args)]
pub(crate) struct ApplyArguments {
    /// File with one mapping, JSON or TOML; `-` is standard input
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Id of the mapping, instead of the one in the file's `name`
    #[arg(long, value_name = "MAPPING", value_parser = resource_id)]
    pub(crate) id: Option<String>,
}

/// Arguments of `preview`.
#[derive(Debug, Args)]
pub(crate) struct PreviewArguments {
    /// Id of the mapping
    #[arg(value_parser = resource_id)]
    pub(crate) mapping: String,
    /// The record with this id, a GUID
    #[arg(long, value_name = "ID", conflicts_with = "sample")]
    pub(crate) record: Option<String>,
    /// As many records as the table gives first, 1 to 100; 10 if nothing is said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=100))]
    pub(crate) sample: Option<i32>,
    /// Try the mapping in this file instead of the saved draft
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

const REPLAY: &str = "\
Fields without updates are written as well. Refused for tables of 2,000,000 rows or more, and while as many changes wait.

Example:
  crosswalk mappings replay contact
  crosswalk workflows stop ingress --wait && crosswalk workflows start ingress --wait";

const ESTIMATE: &str = "\
The figures are those of the first load, or of the replay that has been asked for, with its --force. Where a start would go \
on from its position and read only what changes, they are those of a replay; `Figures of` says which.

Example:
  crosswalk mappings estimate contact";

const PREVIEW: &str = "\
What is shown is what the next change of each record would do. Fields without updates that differ are written by a replay \
only.

Examples:
  crosswalk mappings preview contact --sample 20
  crosswalk mappings preview contact --record 6f0cbd41-0000-4000-8000-000000000001 -f contact.json";

const FILE_FORMAT: &str = "\
The file holds the whole mapping as it is to be: what it leaves out is removed or back to its default. It is a Mapping \
of the API as proto3 JSON, just as `mappings get --output json` writes it, or the same as TOML. A file that begins with \
`{` is JSON. Unknown fields are errors. `createTime`, `updateTime`, `links`, `warnings` and `pendingReplay` are accepted and \
ignored.

Which mapping it is comes from --id, else from the file's `name`. If the mapping exists and the file has its `etag`, it \
is changed only if nobody has changed it since; without, whatever it is now is replaced. With an --id other than that \
in `name` the file is a template: its etag is not used. Tables and key cannot be changed after creation.

A whole example in JSON:
  {
    \"name\": \"instances/demo/workflows/ingress/mappings/contact\",
    \"dynamicsTable\": \"contact\",
    \"campaignResource\": \"profile\",
    \"key\": { \"dynamicsField\": \"contactid\", \"campaignField\": \"externalId\" },
    \"fields\": [
      { \"dynamicsField\": \"emailaddress1\", \"campaignField\": \"email\" },
      { \"dynamicsField\": \"address1_city\", \"campaignField\": \"location.city\", \"applyUpdates\": false }
    ],
    \"replacements\": [
      { \"dynamicsField\": \"address1_city\", \"existingValue\": \"NYC\", \"newValue\": \"New York\" }
    ],
    \"filter\": {
      \"combination\": \"COMBINATION_AND\",
      \"conditions\": [
        { \"dynamicsField\": \"statecode\", \"operator\": \"OPERATOR_EQUALS\", \"values\": [\"Active\"] }
      ],
      \"deleteFiltered\": true
    },
    \"options\": {
      \"applyDeletes\": true,
      \"overLong\": \"OVER_LONG_TRUNCATE\",
      \"choices\": \"CHOICE_FORM_LABEL\",
      \"empty\": \"EMPTY_VALUE_LEAVE\"
    }
  }

The same in TOML:
  name = \"instances/demo/workflows/ingress/mappings/contact\"
  dynamicsTable = \"contact\"
  campaignResource = \"profile\"
  key = { dynamicsField = \"contactid\", campaignField = \"externalId\" }
  fields = [
    { dynamicsField = \"emailaddress1\", campaignField = \"email\" },
    { dynamicsField = \"address1_city\", campaignField = \"location.city\" },
  ]

  [options]
  applyDeletes = true                # default: false
  overLong = \"OVER_LONG_TRUNCATE\"    # default: OVER_LONG_REJECT
  choices = \"CHOICE_FORM_LABEL\"      # default: CHOICE_FORM_TECHNICAL_VALUE
  empty = \"EMPTY_VALUE_LEAVE\"        # default: EMPTY_VALUE_CLEAR

Examples:
  crosswalk mappings apply -f contact.toml
  crosswalk -i stage mappings get contact -o json | crosswalk -i prod mappings apply --id contact -f -";
