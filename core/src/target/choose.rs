//! The choice of a call's targets, in order, from the request and its options.

use std::sync::Arc;

use super::order::{by_cost, good_enough, ordered};
use super::region::keep_region;
use super::state::ChosenTarget;
use super::table::Table;
use crate::codec::did_you_mean;
use crate::config::{
    Config, FloorRule, RoutePolicy, RouteTarget, at, not_built, quoted, target, unknown_provider,
};
use crate::error::{Error, ErrorKind};
use crate::model::{Hedge, Options, RetryOverlay, Routed, Traits, Warning};

/// The targets of a call, and the settings of its route.
pub(crate) struct Choice {
    pub(crate) targets: Vec<ChosenTarget>,
    /// The name of the route.
    pub(crate) route: Option<Arc<str>>,
    pub(crate) retry: Option<RetryOverlay>,
    pub(crate) hedge: Option<Hedge>,
    pub(crate) warnings: Vec<Warning>,
    /// Why these targets, where they were chosen by cost or by quality.
    pub(crate) routed: Option<Box<Routed>>,
}

/// Chooses the targets of a request for `model`. `defaults` says whether the configuration's
/// default models apply; otherwise the request may do without a model. `to` is one target of a
/// fan-out, which replaces what the request names. `traits` says what the request is like.
pub(crate) fn choose(
    config: &Config,
    table: &Table,
    model: Option<&str>,
    defaults: bool,
    options: &Options,
    to: Option<&str>,
    traits: &dyn Fn() -> Traits,
) -> Result<Choice, Error> {
    let (mut listed, behind) = match asked(config, model, options, to) {
        Asked::Route(name, behind) => (of_route(config, &name, behind.or(model))?, behind),
        Asked::Target(found) => (Listed { targets: vec![found?], ..Listed::default() }, None),
    };
    let by_name = model.is_some_and(|model| config.route(model).is_some());
    // Targets without a model of their own take the one behind the route's name, or the request's
    // model, unless that names a target.
    let model = match (behind, to, &options.provider) {
        (Some(behind), _, _) => Some(behind.to_owned()),
        (None, Some(_), _) => None,
        (None, None, Some(_)) => model.map(str::to_owned),
        (None, None, None) if by_name => None,
        (None, None, None) => listed.targets[0].model.clone().or_else(|| model.map(str::to_owned)),
    };
    let floor = listed.floor(options, traits)?;
    let mut own = listed.targets.len();
    add_fallbacks(config, options, to, &mut listed.targets)?;
    if let Some(region) = &options.region {
        let model_of = |target: &RouteTarget| {
            model_of(config, target, model.as_deref(), defaults).map(str::to_owned)
        };
        own = keep_region(config, region, own, &mut listed.targets, &model_of)?;
    }
    let chosen = |target| chosen(config, table, target, model.as_deref(), defaults);
    let mut targets = listed.targets.into_iter().map(chosen).collect::<Result<Vec<_>, _>>()?;
    let by_costs = listed.policy == RoutePolicy::Cost;
    if listed.policy != RoutePolicy::Priority && (own > 1 || by_costs) {
        let sticky = options.sticky_key.as_deref();
        // Fallbacks come after all of these, whatever their weight or latency.
        let fallbacks = targets.split_off(own);
        targets = match by_costs {
            true => by_cost(config, listed.slack, &traits(), targets, &mut listed.warnings),
            false => ordered(listed.policy, targets, sticky, table),
        };
        targets.extend(fallbacks);
    }
    let Listed { route, policy, retry, hedge, warnings, .. } = listed;
    let routed = floor.or_else(|| by_costs.then(Routed::default));
    let routed = routed.map(|routed| Box::new(Routed { policy: policy.name(), ..routed }));
    Ok(Choice { targets, route, retry, hedge, warnings, routed })
}

/// The targets that a request names, before fallbacks, regions and the order.
#[derive(Default)]
struct Listed {
    route: Option<Arc<str>>,
    policy: RoutePolicy,
    slack: u32,
    rules: Vec<FloorRule>,
    targets: Vec<RouteTarget>,
    retry: Option<RetryOverlay>,
    hedge: Option<Hedge>,
    warnings: Vec<Warning>,
}

impl Listed {
    /// Leaves the targets that are good enough for the request.
    fn floor(
        &mut self,
        options: &Options,
        traits: &dyn Fn() -> Traits,
    ) -> Result<Option<Routed>, Error> {
        let Some(route) = &self.route else {
            if options.min_quality.is_some() {
                let message = "the call names no route, so options.min_quality has no effect";
                self.warnings.push(Warning {
                    code: "no_route",
                    message: message.to_owned(),
                    param: Some("options.min_quality".to_owned()),
                });
            }
            return Ok(None);
        };
        if self.rules.is_empty() && options.min_quality.is_none() {
            return Ok(None);
        }
        good_enough(route, &self.rules, options, &traits(), &mut self.targets)
    }
}

/// The targets of a route.
fn of_route(config: &Config, name: &str, model: Option<&str>) -> Result<Listed, Error> {
    let Some(route) = config.route(name) else {
        return Err(config.unknown_name(name, "provider"));
    };
    let mut warnings = Vec::new();
    if let Some(model) = model.filter(|model| *model != name)
        && route.targets.iter().all(|target| target.model.is_some())
    {
        warnings.push(Warning {
            code: "routed",
            message: format!("the targets of the route {name} have their own models, not {model}"),
            param: Some("model".to_owned()),
        });
    }
    Ok(Listed {
        route: Some(Arc::from(&*route.name)),
        policy: route.policy,
        slack: route.slack_percent,
        rules: route.rules.clone(),
        targets: route.targets.clone(),
        retry: route.retry,
        hedge: route.hedge,
        warnings,
    })
}

/// Adds the targets of `options.fallback`.
fn add_fallbacks(
    config: &Config,
    options: &Options,
    to: Option<&str>,
    targets: &mut Vec<RouteTarget>,
) -> Result<(), Error> {
    if to.is_some() && options.fallback.is_some() {
        let message = "options.fallback: a fan-out has its own targets; one of them may be a \
                       route, which has fallbacks";
        return Err(Error::invalid("options.fallback", message));
    }
    for (i, text) in options.fallback.iter().flatten().enumerate() {
        let (provider, model) = target(text, &config.providers)
            .map_err(|error| at(error, &format!("options.fallback[{i}]")))?;
        targets.push(plain(provider, model));
    }
    Ok(())
}

/// The model of a target: its own, that of the request, or the configuration's.
fn model_of<'a>(
    config: &'a Config,
    target: &'a RouteTarget,
    model: Option<&'a str>,
    defaults: bool,
) -> Option<&'a str> {
    let settings = &config.providers[target.provider];
    let own = target.model.as_deref().or(model);
    let default = || settings.model.as_deref().or(config.default_model.as_deref());
    if defaults { own.or_else(default) } else { own.or(Some("")) }
}

/// One target with its model and state. `model` is that of the request.
fn chosen(
    config: &Config,
    table: &Table,
    target: RouteTarget,
    model: Option<&str>,
    defaults: bool,
) -> Result<ChosenTarget, Error> {
    let settings = &config.providers[target.provider];
    let name = &settings.name;
    let wrong = |message| {
        Err(Error::invalid("model", message).with(|e| e.provider = Some(name.to_string())))
    };
    let Some(model) = model_of(config, &target, model, defaults) else {
        return wrong(format!(
            "model is missing: give it in the request, or providers.{name}.model in the \
             configuration"
        ));
    };
    if let Some(reason) = settings.row.contradiction(model, settings.region.as_deref(), None) {
        return wrong(format!("this model cannot be asked for: {reason}"));
    }
    let state = table.target(config, target.provider, model, target.moved);
    let RouteTarget { provider, weight, parameters, moved, .. } = target;
    Ok(ChosenTarget { provider, moved, weight, parameters, expected: None, state })
}

enum Asked<'a> {
    /// A route's name, and the model behind it: `route/model`.
    Route(String, Option<&'a str>),
    Target(Result<RouteTarget, Error>),
}

/// What the request names: a route, or one target.
fn asked<'a>(
    config: &'a Config,
    model: Option<&'a str>,
    options: &Options,
    to: Option<&str>,
) -> Asked<'a> {
    let route = |name: &str| config.route(name).map(|route| Asked::Route(route.name.clone(), None));
    let found = |(provider, model)| Asked::Target(Ok(plain(provider, model)));
    let named = |name: &str| match config.find(name) {
        Some(provider) => found((provider, None)),
        None => Asked::Target(Err(config.unknown_name(name, "provider"))),
    };
    if let Some(to) = to {
        return route(to).unwrap_or_else(|| match target(to, &config.providers) {
            Ok(target) => found(target),
            Err(error) => Asked::Target(Err(at(error, "options.fanout.targets"))),
        });
    }
    if let Some(name) = &options.provider {
        return route(name).unwrap_or_else(|| named(name));
    }
    let asked = model;
    // Without a default provider, the default model names the provider, as a request's model does.
    let unrouted = config.default_provider.is_none();
    let asked = asked.or(config.default_model.as_deref().filter(|_| unrouted));
    if let Some(asked) = asked {
        if let Some(route) = route(asked) {
            return route;
        }
        if let Some((name, rest)) = asked.split_once('/') {
            if let Some(provider) = config.find(name) {
                return found((provider, Some(rest.to_owned())));
            }
            if let (Some(route), false) = (config.route(name), rest.is_empty()) {
                return Asked::Route(route.name.clone(), Some(rest));
            }
            // The default provider is not asked in its place.
            if let Some(error) = not_built(name, "model") {
                return Asked::Target(Err(error));
            }
        }
    }
    match &config.default_provider {
        Some(name) => route(name).unwrap_or_else(|| named(name)),
        None => Asked::Target(Err(no_provider(config, asked))),
    }
}

fn plain(provider: usize, model: Option<String>) -> RouteTarget {
    let (region, moved, parameters, quality) = (None, None, None, None);
    RouteTarget { provider, model, region, moved, weight: 1, parameters, quality }
}

/// The error for a request that names no provider.
fn no_provider(config: &Config, model: Option<&str>) -> Error {
    let why = match model.map(|model| (model, model.split_once('/'))) {
        Some((_, Some((name, _)))) => unknown_provider("provider", name, config.names()),
        Some((model, None)) => {
            let near = did_you_mean(model, config.names()).unwrap_or_default();
            let quoted = quoted(model).unwrap_or_else(|| "of this request".to_owned());
            format!("no provider is known for the model {quoted}{near}")
        }
        None => "no provider is known for this request".to_owned(),
    };
    let message = format!(
        "{why} (give options.provider, a model of the form provider/model, or a default_provider \
         in the configuration)"
    );
    Error::new(ErrorKind::NotFound, message).with(|e| e.param = Some("model".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::Membership;
    use super::*;

    /// The targets of a request for `model` under a configuration, or the error's kind.
    fn goes(config: &str, model: Option<&str>, options: &str) -> String {
        let config = Config::parse(config.as_bytes()).unwrap();
        let options = Options::parse(options.as_bytes()).unwrap();
        let table = Table::new(&config, Membership::default(), 0);
        match choose(&config, &table, model, true, &options, None, &Traits::default) {
            Ok(choice) => {
                let names: Vec<_> = choice.targets.iter().map(ChosenTarget::name).collect();
                names.join(" ")
            }
            Err(error) => error.kind().name().to_owned(),
        }
    }

    #[test]
    fn requests_find_their_provider() {
        assert_eq!(goes("{}", Some("openai/gpt"), "{}"), "openai/gpt");
        assert_eq!(goes("{}", Some("openrouter/meta/llama"), "{}"), "openrouter/meta/llama");
        let openrouter = r#"{"provider": "openrouter"}"#;
        assert_eq!(goes("{}", Some("meta/llama"), openrouter), "openrouter/meta/llama");
        assert_eq!(goes("{}", Some("gpt"), "{}"), "not_found");
        assert_eq!(goes("{}", Some("gpt"), r#"{"provider": "opnai"}"#), "not_found");
        assert_eq!(goes("{}", None, r#"{"provider": "openai"}"#), "invalid_request");
        let model = r#"{"default_model": "anthropic/claude"}"#;
        assert_eq!(goes(model, None, "{}"), "anthropic/claude");
        assert_eq!(goes(model, Some("openai/gpt"), "{}"), "openai/gpt");
        let both = r#"{"default_provider": "openai", "default_model": "gpt"}"#;
        assert_eq!(goes(both, None, "{}"), "openai/gpt");
        assert_eq!(goes(both, Some("other"), "{}"), "openai/other");
    }

    #[test]
    fn a_fan_out_has_no_fallback() {
        let config = Config::parse(b"{}").unwrap();
        let table = Table::new(&config, Membership::default(), 0);
        let resolved = |options: &[u8]| {
            let options = Options::parse(options).unwrap();
            let to = Some("openai/gpt");
            choose(&config, &table, None, true, &options, to, &Traits::default).map(|_| ())
        };
        assert!(resolved(b"{}").is_ok());
        let error = resolved(br#"{"fallback": ["mistral/small"]}"#).unwrap_err();
        assert_eq!(error.param.as_deref(), Some("options.fallback"));
    }

    #[test]
    fn routes_fallbacks_and_regions() {
        let config = r#"{
            "providers": {
                "openai": {"region": "us"},
                "mistral": {"region": "eu"},
                "mine": {"kind": "compatible", "base_url": "http://localhost:1"}
            },
            "routes": {"chat": {"targets": [
                "openai/gpt",
                {"target": "mistral/small"},
                {"target": "mine", "region": "eu"}
            ]}}
        }"#;
        // The last target has no model, and the request's model is the route's name.
        assert_eq!(goes(config, Some("chat"), "{}"), "invalid_request");
        let given = r#"{"provider": "chat"}"#;
        assert_eq!(goes(config, Some("llama"), given), "openai/gpt mistral/small mine/llama");
        assert_eq!(
            goes(config, Some("chat/meta/llama"), "{}"),
            "openai/gpt mistral/small mine/meta/llama"
        );
        assert_eq!(goes(config, Some("chat/"), "{}"), "not_found");
        let eu = r#"{"provider": "chat", "region": "eu"}"#;
        assert_eq!(goes(config, Some("llama"), eu), "mistral/small mine/llama");
        let asia = r#"{"provider": "chat", "region": "asia"}"#;
        assert_eq!(goes(config, Some("llama"), asia), "unsupported");
        let fallback = r#"{"fallback": ["mistral/small", "cohere/command"]}"#;
        assert_eq!(
            goes(config, Some("openai/gpt"), fallback),
            "openai/gpt mistral/small cohere/command"
        );
        let eu = r#"{"fallback": ["mistral/small"], "region": "eu"}"#;
        assert_eq!(goes(config, Some("openai/gpt"), eu), "mistral/small");
        assert_eq!(goes(config, Some("openai/gpt"), r#"{"fallback": ["nobody/x"]}"#), "not_found");
    }
    #[test]
    fn a_target_that_leaves_the_region_is_no_fallback() {
        let config = r#"{"providers": {
            "aws": {"kind": "bedrock", "region": "eu-central-1"},
            "london": {"kind": "bedrock", "region": "eu-west-2"},
            "openai": {"region": "us"},
            "mistral": {"region": "eu"}
        }}"#;
        let asked = |fallback: &str| format!(r#"{{"region": "eu", "fallback": [{fallback}]}}"#);
        let goes = |model: &str, fallback: &str| goes(config, Some(model), &asked(fallback));
        let both = r#""aws/eu.anthropic.x", "mistral/small""#;
        assert_eq!(goes("openai/gpt", both), "aws/eu.anthropic.x mistral/small");
        let leaves = r#""aws/global.anthropic.x", "london/amazon.nova", "mistral/small""#;
        assert_eq!(goes("openai/gpt", leaves), "mistral/small");
        assert_eq!(goes("aws/global.anthropic.x", ""), "unsupported");
        // It could never be answered, wherever the caller wants to stay.
        assert_eq!(goes("mistral/small", r#""aws/us.anthropic.x""#), "mistral/small");
        assert_eq!(super::tests::goes(config, Some("aws/us.anthropic.x"), "{}"), "invalid_request");
    }
}
