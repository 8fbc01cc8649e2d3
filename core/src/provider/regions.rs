//! Where each built-in provider can be asked to answer: the one table of regions.
//!
//! A region is a word of the provider's: a host's name, a cloud's region, or a member of the body.
//! What a provider has no word for is refused, and never answered from another region.

use ::http::Uri;

use super::registry::Row;

/// What stands for the region in a base URL.
const REGION: &str = "REGION";

/// How a provider's region is chosen.
#[derive(Clone, Copy, Debug)]
pub enum Regions {
    /// It has no region that a caller can choose.
    None,
    /// Each region has a base URL. The row's own one promises no region.
    Hosts(&'static [(&'static str, &'static str)]),
    /// A chat names it, in a member of the body that takes these words.
    Member(&'static [&'static str]),
    /// A cloud's regions, of which new ones come. The host names it.
    Cloud,
    /// Its server is the caller's own, who says where it is.
    Own,
}

/// What a base URL says about the region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It is not a URL of the provider's own, so its region is what the caller says.
    Nothing,
    /// The provider's own host, without a region.
    NoRegion,
    /// This region.
    Region(String),
}

/// The regions of the rows that have some, each with its source. Rows that are not here have none,
/// except for servers of the caller's own.
const TABLE: [(&str, Regions, &str); 7] = [
    (
        "openai",
        Regions::Hosts(&[
            ("us", "https://us.api.openai.com/v1"),
            ("eu", "https://eu.api.openai.com/v1"),
            ("ae", "https://ae.api.openai.com/v1"),
            ("au", "https://au.api.openai.com/v1"),
            ("in", "https://in.api.openai.com/v1"),
            ("jp", "https://jp.api.openai.com/v1"),
        ]),
        "[sdk openai 3.54]",
    ),
    ("anthropic", Regions::Member(&["us", "global"]), "[doc], [sdk anthropic 2.12]"),
    (
        "mistral",
        Regions::Hosts(&[
            ("eu", "https://api.eu.mistral.ai/v1"),
            ("us", "https://api.us.mistral.ai/v1"),
        ]),
        "[sdk mistralai 3.7]",
    ),
    (
        "openrouter",
        Regions::Hosts(&[
            ("eu", "https://eu.openrouter.ai/api/v1"),
            ("us", "https://us.openrouter.ai/api/v1"),
        ]),
        "[doc]",
    ),
    ("xai", Regions::Hosts(&[("us", "https://us.api.x.ai/v1")]), "[doc]"),
    ("vertex", Regions::Cloud, "[sdk google-genai 3.4]"),
    ("bedrock", Regions::Cloud, "[sdk botocore 1.44]"),
];

/// What a geography of `options.region` takes in: the beginnings of a cloud's regions, and those of
/// them that are outside. London and Zürich are not in the European Union.
const GEOGRAPHIES: [(&str, &[&str], &[&str]); 2] = [
    ("eu", &["eu-", "europe-"], &["eu-west-2", "eu-central-2", "europe-west2", "europe-west6"]),
    ("us", &["us-"], &["us-gov-east-1", "us-gov-west-1"]),
];

/// The geographies of Bedrock's inference profiles, with the regions that may ask for them [doc].
const PROFILES: [(&str, &[&str]); 7] = [
    ("us-gov", &["us-gov-"]),
    ("us", &["us-", "ca-"]),
    ("eu", &["eu-"]),
    ("apac", &["ap-"]),
    ("jp", &["ap-northeast-"]),
    ("au", &["ap-southeast-"]),
    ("ca", &["ca-"]),
];

/// The profile that may leave every geography.
const GLOBAL: &str = "global";

impl Row {
    /// Its base URL in a region. `None` if its URL does not depend on one.
    #[must_use]
    pub fn at_region(&self, region: &str) -> Option<String> {
        if let Regions::Hosts(hosts) = self.regions() {
            return hosts
                .iter()
                .find(|(name, _)| *name == region)
                .map(|(_, url)| (*url).to_owned());
        }
        let url = self.takes_region().then(|| self.base_url_like.replace(REGION, region))?;
        // China's regions have a domain of their own [sdk].
        Some(if region.starts_with("cn-") { format!("{url}.cn") } else { url })
    }

    /// Whether its base URL follows from a region.
    #[must_use]
    pub fn takes_region(&self) -> bool {
        self.base_url_like.contains(REGION)
    }

    /// Whether its base URL follows from a project and a location.
    #[must_use]
    pub fn takes_project(&self) -> bool {
        self.base_url_like.contains("PROJECT")
    }

    /// Whether its base URL follows from the name of a resource.
    #[must_use]
    pub fn takes_resource(&self) -> bool {
        self.base_url_like.contains("RESOURCE")
    }

    /// How its region is chosen.
    #[must_use]
    pub fn regions(&self) -> Regions {
        match TABLE.iter().find(|(name, ..)| *name == self.name) {
            Some((_, regions, _)) => *regions,
            None if self.is_own_server() => Regions::Own,
            None => Regions::None,
        }
    }

    /// Whether its server is one of the caller's own.
    fn is_own_server(&self) -> bool {
        self.base_url.is_empty() || self.base_url.starts_with("http://localhost:")
    }

    /// What a base URL says about the region. A host counts in any spelling: in capitals, and with the
    /// dot of a whole name.
    #[must_use]
    pub fn said_by(&self, url: &Uri) -> Said {
        let host = url.host().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
        let is_at = |base: &str| {
            base.trim_start_matches("https://").split('/').next() == Some(host.as_str())
        };
        let region = match self.regions() {
            Regions::Own | Regions::Member(_) => return Said::Nothing,
            Regions::Hosts(hosts) => hosts.iter().find(|(_, base)| is_at(base)).map(|host| host.0),
            Regions::Cloud if self.takes_region() => of_amazon(&host),
            Regions::Cloud => of_google(&host, url.path()),
            Regions::None => None,
        };
        match region {
            Some(region) => Said::Region(region.to_owned()),
            None if is_at(self.base_url) => Said::NoRegion,
            None => Said::Nothing,
        }
    }

    /// The words for its regions, for a message.
    #[must_use]
    pub fn region_words(&self) -> String {
        let words: Vec<_> = match self.regions() {
            Regions::Hosts(hosts) => hosts.iter().map(|(region, _)| *region).collect(),
            Regions::Member(words) => words.to_vec(),
            Regions::Cloud if self.takes_region() => {
                return "those of AWS, such as us-east-1".into();
            }
            Regions::Cloud => {
                return "Google's locations, such as europe-west4, eu or global".into();
            }
            Regions::None | Regions::Own => Vec::new(),
        };
        words.join(", ")
    }

    /// Why a model cannot be asked for in `region`, or where the caller wants to stay in `asked`.
    /// `None`: its name contradicts neither.
    #[must_use]
    pub fn contradiction(
        &self,
        model: &str,
        region: Option<&str>,
        asked: Option<&str>,
    ) -> Option<String> {
        if !matches!(self.regions(), Regions::Cloud) || !self.takes_region() {
            return None;
        }
        let mut parts = model.split(':');
        let of_arn = (parts.next() == Some("arn")).then(|| parts.nth(2)).flatten();
        if let (Some(own), Some(region)) = (of_arn.filter(|own| !own.is_empty()), region)
            && own != region
        {
            return Some(format!("its ARN is of {own}, and the provider's region is {region}"));
        }
        let id = model.rsplit('/').next().unwrap_or(model);
        let (profile, _) = id.split_once('.')?;
        let wanted = asked.filter(|asked| *asked != profile);
        if profile == GLOBAL {
            return wanted.map(|asked| {
                format!("its inference profile, {GLOBAL}, may answer from outside {asked}")
            });
        }
        let (_, starts) = PROFILES.iter().find(|(name, _)| *name == profile)?;
        let outside = |region: &str| {
            let government = region.starts_with("us-gov") && profile != "us-gov";
            government || !starts.iter().any(|start| region.starts_with(start))
        };
        let is_geography = |asked: &str| GEOGRAPHIES.iter().any(|(name, ..)| *name == asked);
        let found = region
            .filter(|region| outside(region))
            .or_else(|| wanted.filter(|asked| is_geography(asked) || outside(asked)))?;
        Some(format!("its inference profile is that of {profile}, which {found} is not in"))
    }
}

/// Whether a region is the one asked for, or is in the geography asked for.
#[must_use]
pub fn is_within(region: &str, asked: &str) -> bool {
    region == asked
        || GEOGRAPHIES.iter().any(|(name, starts, outside)| {
            *name == asked
                && starts.iter().any(|start| region.starts_with(start))
                && !outside.contains(&region)
        })
}

/// The region in a host of AWS: `bedrock-runtime.eu-west-1.amazonaws.com`, and the hosts of FIPS and of
/// private networks, which have it as a part of their own, too [spec].
fn of_amazon(host: &str) -> Option<&str> {
    let inner = host.strip_suffix(".cn").unwrap_or(host).strip_suffix(".amazonaws.com")?;
    inner.split('.').find(|part| is_amazon_region(part))
}

/// Whether a text has the form of a region of AWS: `us-east-1`, `us-gov-west-1`.
#[must_use]
pub fn is_amazon_region(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let letters =
        |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    match parts.as_slice() {
        [first, middle @ .., number] => {
            (2..=4).contains(&first.len())
                && letters(first)
                && !middle.is_empty()
                && middle.iter().all(letters)
                && (1..=2).contains(&number.len())
                && number.bytes().all(|byte| byte.is_ascii_digit())
        }
        [_] | [] => false,
    }
}

/// The location in a URL of Vertex: that of its host, or that of its path.
fn of_google<'a>(host: &'a str, path: &'a str) -> Option<&'a str> {
    let inner = host.strip_suffix(".googleapis.com");
    let of_host = inner.and_then(|inner| {
        let several = || inner.strip_prefix("aiplatform.")?.strip_suffix(".rep");
        inner.strip_suffix("-aiplatform").or_else(several)
    });
    of_host.or_else(|| {
        let (_, rest) = path.split_once("/locations/")?;
        rest.split('/').next().filter(|location| !location.is_empty())
    })
}

/// The base URL of a project's location at Vertex: regional, global, or of a multi-region [sdk].
#[must_use]
pub fn vertex_url(project: &str, location: &str) -> String {
    let host = match location {
        "global" => "aiplatform.googleapis.com".to_owned(),
        "eu" | "us" => format!("aiplatform.{location}.rep.googleapis.com"),
        _ => format!("{location}-aiplatform.googleapis.com"),
    };
    format!("https://{host}/v1/projects/{project}/locations/{location}")
}

#[cfg(test)]
#[path = "regions_tests.rs"]
mod tests;
