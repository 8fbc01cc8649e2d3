//! Tests of the table of regions.

use super::super::registry::{ROWS, row};
use super::*;

#[test]
fn the_table_is_about_rows_and_their_own_hosts() {
    for (name, regions, source) in TABLE {
        let row = row(name).unwrap();
        assert!(source.starts_with('['), "{name}");
        let Regions::Hosts(hosts) = regions else { continue };
        for (region, base) in hosts {
            assert_eq!(row.said_by(&base.parse().unwrap()), Said::Region((*region).to_owned()));
        }
        assert_eq!(row.said_by(&row.base_url.parse().unwrap()), Said::NoRegion, "{name}");
    }
    let own = ROWS.iter().filter(|row| matches!(row.regions(), Regions::Own));
    assert!(own.clone().any(|row| row.name == "azure") && own.count() > 8);
    assert!(matches!(row("groq").unwrap().regions(), Regions::None));
}

#[test]
fn urls_say_a_region() {
    for (name, url, said) in [
        ("bedrock", "https://bedrock-runtime.eu-west-1.amazonaws.com", Some("eu-west-1")),
        (
            "bedrock",
            "https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com",
            Some("us-gov-west-1"),
        ),
        (
            "bedrock",
            "https://vpce-1.bedrock-runtime.eu-west-1.vpce.amazonaws.com",
            Some("eu-west-1"),
        ),
        ("bedrock", "https://bedrock-runtime.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
        ("bedrock", "https://proxy.example", None),
        ("vertex", "https://proxy.example/v1/projects/p/locations/eu", Some("eu")),
        ("vertex", "https://us-east5-aiplatform.googleapis.com/v1", Some("us-east5")),
        ("vertex", "https://aiplatform.eu.rep.googleapis.com/v1", Some("eu")),
        ("vertex", "https://aiplatform.googleapis.com/v1", None),
        ("openai", "https://EU.api.openai.com/v1", Some("eu")),
        ("openai", "https://us.api.openai.com./v1", Some("us")),
        ("vertex", "https://US-EAST5-aiplatform.googleapis.com/v1", Some("us-east5")),
        ("openai", "https://proxy.example/v1", None),
    ] {
        let url: Uri = url.parse().unwrap();
        let wanted = said.map_or(Said::Nothing, |region| Said::Region(region.to_owned()));
        assert_eq!(row(name).unwrap().said_by(&url), wanted, "{url}");
    }
    let own: Uri = "https://api.groq.com/openai/v1".parse().unwrap();
    assert_eq!(row("groq").unwrap().said_by(&own), Said::NoRegion);
    for (text, is) in [("us-east-1", true), ("eu", false), ("us-east", false), ("a-b@e-1", false)] {
        assert_eq!(is_amazon_region(text), is, "{text}");
    }
}

#[test]
fn a_region_is_within_itself_and_within_its_geography() {
    for (region, asked, is) in [
        ("eu", "eu", true),
        ("eu-central-1", "eu", true),
        ("europe-west4", "eu", true),
        ("eu-west-2", "eu", false),
        ("europe-west6", "eu", false),
        ("us-east5", "us", true),
        ("us-gov-west-1", "us", false),
        ("global", "eu", false),
        ("eu", "eu-central-1", false),
    ] {
        assert_eq!(is_within(region, asked), is, "{region} in {asked}");
    }
}

#[test]
fn profiles_stay_in_their_geography() {
    let bedrock = row("bedrock").unwrap();
    for (model, region, asked, is) in [
        ("eu.anthropic.claude", "eu-central-1", None, false),
        ("eu.anthropic.claude", "us-east-1", None, true),
        ("us.anthropic.claude", "ca-central-1", None, false),
        ("us.anthropic.claude", "us-gov-west-1", None, true),
        ("apac.amazon.nova", "eu-west-1", None, true),
        ("global.anthropic.claude", "eu-west-1", None, false),
        ("global.anthropic.claude", "eu-west-1", Some("eu"), true),
        ("global.anthropic.claude", "eu-west-1", Some("eu-west-1"), true),
        ("eu.anthropic.claude", "eu-west-1", Some("eu"), false),
        ("eu.anthropic.claude", "eu-west-1", Some("eu-west-1"), false),
        ("amazon.nova-lite-v1:0", "us-east-1", Some("us"), false),
        ("ai21.jamba", "us-east-1", None, false),
        ("arn:aws:bedrock:eu-west-1:1:inference-profile/eu.x", "eu-west-1", None, false),
        ("arn:aws:bedrock:eu-west-1:1:inference-profile/eu.x", "us-east-1", None, true),
    ] {
        let found = bedrock.contradiction(model, Some(region), asked);
        assert_eq!(found.is_some(), is, "{model} {region} {asked:?}: {found:?}");
    }
    assert_eq!(row("openai").unwrap().contradiction("eu.x", Some("us"), None), None);
}

#[test]
fn vertex_has_three_kinds_of_hosts() {
    for (location, host) in [
        ("europe-west4", "https://europe-west4-aiplatform.googleapis.com/"),
        ("global", "https://aiplatform.googleapis.com/"),
        ("eu", "https://aiplatform.eu.rep.googleapis.com/"),
    ] {
        let url = vertex_url("p", location);
        assert_eq!(url, format!("{host}v1/projects/p/locations/{location}"));
    }
}
