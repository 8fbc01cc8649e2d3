//! The models of Bedrock, which its control plane lists: another host, and the same identity.

use liter_llm_core::{Client, Error, ErrorKind, Outcome};
use serde_json::{Value, json};

use crate::common::within;
use crate::fake::{Fake, KEYS, canaries, client};

async fn models(client: &Client, model: Option<&str>) -> Result<Value, Error> {
    let request = json!({"op": "models", "model": model, "options": {"provider": "bedrock"}});
    let outcome = within(client.answer(request.to_string().as_bytes(), b"")).await?;
    let Outcome::Answer(answer) = outcome else { panic!("no answer") };
    Ok(serde_json::from_slice(&answer.to_json()).unwrap())
}

fn ids(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect()
}

/// A control plane with two models and three profiles, two to a page.
fn control() -> Fake {
    Fake::new(|_, ask| {
        let profile = |id: &str| {
            json!({"inferenceProfileId": id, "type": "SYSTEM_DEFINED",
            "createdAt": "2024-09-03T00:00:00Z", "models": [{"modelArn": "arn:aws:x"}]})
        };
        let body = match ask.target.as_str() {
            "/foundation-models" => json!({"modelSummaries": [
                {"modelId": "amazon.a-v1:0", "outputModalities": ["TEXT"],
                    "inferenceTypesSupported": ["ON_DEMAND"]},
                {"modelId": "amazon.b-v1:0", "outputModalities": ["EMBEDDING"]},
            ]}),
            "/inference-profiles?maxResults=1000" => json!({
                "inferenceProfileSummaries": [profile("eu.amazon.a-v1:0"), profile("eu.amazon.c-v1:0")],
                "nextToken": "a/b+c=-_.~",
            }),
            "/inference-profiles?maxResults=1000&nextToken=a%2Fb%2Bc%3D-_.~" => {
                json!({ "inferenceProfileSummaries": [profile("global.amazon.d-v1:0")] })
            }
            "/foundation-models/amazon.a-v1%3A0" => {
                json!({"modelDetails": {"modelId": "amazon.a-v1:0", "modelName": "A"}})
            }
            "/inference-profiles/eu.amazon.a-v1%3A0" => profile("eu.amazon.a-v1:0"),
            _ => return (404, json!({"message": ask.target}).to_string()),
        };
        (200, body.to_string())
    })
}

#[tokio::test]
async fn the_control_plane_is_asked_with_signatures_for_its_host() {
    let (bedrock, control) = (Fake::saying("{}"), control());
    let one = client(json!({"base_url": bedrock.url, "control_url": control.url}), canaries());
    let list = models(&one, None).await.unwrap();
    let all = [
        "amazon.a-v1:0",
        "amazon.b-v1:0",
        "eu.amazon.a-v1:0",
        "eu.amazon.c-v1:0",
        "global.amazon.d-v1:0",
    ];
    assert_eq!(ids(&list), all);
    assert_eq!(list["warnings"], json!([]));
    assert_eq!(list["data"][0]["capabilities"], json!(["TEXT"]));
    assert_eq!(list["data"][2]["created"], 1_725_321_600);
    assert_eq!(list["liter"]["attempts"].as_array().unwrap().len(), 3);
    assert_eq!(ids(&models(&one, Some("amazon.a-v1:0")).await.unwrap()), [all[0]]);
    assert_eq!(ids(&models(&one, Some("eu.amazon.a-v1:0")).await.unwrap()), [all[2]]);
    let asked = control.asked();
    assert_eq!(asked.len(), 5);
    for ask in &asked {
        assert_eq!(ask.method, "GET");
        assert_eq!(ask.signed_with(KEYS[1]), KEYS[0]);
        assert!(ask.header("authorization").contains("/eu-central-1/bedrock/aws4_request"));
    }
    assert_eq!(bedrock.count(), 0);
}

#[tokio::test]
async fn the_control_plane_is_asked_with_an_api_key() {
    let (bedrock, control) = (Fake::saying("{}"), control());
    let entry = json!({
        "base_url": bedrock.url, "control_url": format!("{}/", control.url), "api_key": "sk-canary-1",
    });
    let list = models(&client(entry, json!({})), None).await.unwrap();
    assert_eq!(ids(&list).len(), 5);
    assert!(control.asked().iter().all(|ask| ask.header("authorization") == "Bearer sk-canary-1"));
}

/// A key goes to no host that nobody named.
#[tokio::test]
async fn a_base_url_of_ones_own_needs_a_control_url() {
    let (bedrock, control) = (Fake::saying("{}"), control());
    let mut variables = canaries();
    variables["AWS_ENDPOINT_URL_BEDROCK"] = json!(control.url);
    let one = client(json!({"base_url": bedrock.url}), variables.clone());
    let error = models(&one, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(error.param.as_deref(), Some("providers.bedrock.control_url"));
    assert!(error.message.contains("control_url"), "{}", error.message);
    assert_eq!((bedrock.count(), control.count()), (0, 0));
    // The variable counts where the entry has no base URL, as that of the base URL does.
    let list = models(&client(json!({}), variables), None).await.unwrap();
    assert_eq!(ids(&list).len(), 5);
}

#[tokio::test]
async fn what_a_key_may_not_list_takes_nothing_from_what_it_may() {
    let control = Fake::new(|_, ask| match ask.target.as_str() {
        "/foundation-models" => {
            let list = json!({"modelSummaries": [{"modelId": "amazon.a-v1:0"}]});
            (200, String::new(), list.to_string())
        }
        _ => {
            let class = "x-amzn-errortype: AccessDeniedException:http://x/\r\n".to_owned();
            let message = "User: u is not authorized to perform: bedrock:ListInferenceProfiles";
            (403, class, json!({ "message": message }).to_string())
        }
    });
    let one =
        client(json!({"base_url": "http://127.0.0.1:1", "control_url": control.url}), canaries());
    let list = models(&one, None).await.unwrap();
    assert_eq!(ids(&list), ["amazon.a-v1:0"]);
    let [warning] = &list["warnings"].as_array().unwrap()[..] else { panic!("{list}") };
    assert_eq!(warning["code"], "truncated");
    let message = warning["message"].as_str().unwrap();
    assert!(message.contains("bedrock:ListInferenceProfiles"), "{message}");
    assert_eq!(list["liter"]["attempts"].as_array().unwrap().len(), 2);
}
