// The raw-socket client in Node: HTTP/1.1 and server-sent events over `net`, one call at a time on a
// connection that is kept. What any user would need at least, and nothing else.
import { once } from "node:events";
import { connect } from "node:net";

const HEAD_END = Buffer.from("\r\n\r\n");
const NONE = Buffer.alloc(0);

class Response {
  status = 0;
  headers = {};
  complete = false;
  #pending = NONE;
  #left = -1; // bytes of a content-length body that are still to come
  #chunked = false;

  /** Takes what the socket gave: the bytes of the body in it. */
  feed(data) {
    if (this.#pending.length > 0) {
      data = Buffer.concat([this.#pending, data]);
      this.#pending = NONE;
    }
    if (this.status === 0) {
      const end = data.indexOf(HEAD_END);
      if (end < 0) {
        this.#pending = data;
        return NONE;
      }
      this.#head(data.latin1Slice(0, end));
      data = data.subarray(end + 4);
    }
    if (this.#chunked) return this.#chunks(data);
    this.#left -= data.length;
    if (this.#left <= 0) this.complete = true;
    return data;
  }

  #head(head) {
    const lines = head.split("\r\n");
    this.status = Number(lines[0].split(" ", 2)[1]);
    for (let i = 1; i < lines.length; i++) {
      const colon = lines[i].indexOf(":");
      this.headers[lines[i].slice(0, colon).toLowerCase()] = lines[i].slice(colon + 1).trim();
    }
    this.#chunked = (this.headers["transfer-encoding"] ?? "").includes("chunked");
    this.#left = Number(this.headers["content-length"] ?? 0);
  }

  #chunks(data) {
    const body = [];
    let position = 0;
    for (;;) {
      const line = data.indexOf("\r\n", position, "latin1");
      if (line < 0) break;
      const size = parseInt(data.latin1Slice(position, line), 16);
      const end = line + 2 + size;
      if (data.length < end + 2) break;
      if (size === 0) {
        this.complete = true;
        break;
      }
      body.push(data.subarray(line + 2, end));
      position = end + 2;
    }
    this.#pending = data.subarray(position);
    return body.length === 1 ? body[0] : Buffer.concat(body);
  }
}

/** Cuts an event stream into its events' data. */
export class Events {
  #rest = NONE;

  feed(data) {
    if (this.#rest.length > 0) data = Buffer.concat([this.#rest, data]);
    const end = data.lastIndexOf(10) + 1; // whole lines are whole characters
    this.#rest = data.subarray(end);
    const events = [];
    for (const line of data.utf8Slice(0, end).split("\n")) {
      if (line.startsWith("data:")) events.push(line.slice(5).trim());
    }
    return events;
  }
}

class Connection {
  #socket;
  #response = new Response();
  #events;
  #arrived = [];
  #body = NONE;
  #wake = () => {};

  constructor(socket) {
    this.#socket = socket;
    socket.on("data", (data) => this.#feed(data));
    socket.on("close", () => {
      throw new Error("the connection was closed");
    });
  }

  static async open(url) {
    const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
    await once(socket, "connect");
    return new Connection(socket);
  }

  #feed(data) {
    const body = this.#response.feed(data);
    if (this.#events !== undefined) {
      this.#arrived.push(...this.#events.feed(body));
    } else {
      this.#body = this.#body.length > 0 ? Buffer.concat([this.#body, body]) : body;
      if (!this.#response.complete) return;
    }
    this.#wake();
  }

  begin(request, stream) {
    this.#response = new Response();
    this.#events = stream ? new Events() : undefined;
    this.#body = NONE;
    this.#socket.write(request);
  }

  /** Whether nothing more comes, and all was taken. */
  get complete() {
    return this.#response.complete && this.#arrived.length === 0;
  }

  /** The events that arrived. */
  take() {
    const events = this.#arrived;
    this.#arrived = [];
    return events;
  }

  /** Until more arrives than was taken. */
  wait() {
    if (this.#arrived.length > 0) return undefined;
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  async chat(request) {
    this.begin(request, false);
    await this.wait();
    const text = this.#body.utf8Slice();
    if (this.#response.status !== 200) throw new Error(text);
    return JSON.parse(text);
  }
}

/** Kept connections to one provider, as many as there are calls at once. */
class RawClient {
  #url;
  #head;
  #idle = [];

  constructor(url, key) {
    this.#url = url;
    this.#head =
      `POST ${url.pathname}/chat/completions HTTP/1.1\r\nhost: ${url.host}\r\nauthorization: Bearer ${key}\r\n` +
      "content-type: application/json\r\naccept: application/json, text/event-stream\r\ncontent-length: ";
  }

  #request(document) {
    const body = JSON.stringify(document);
    return `${this.#head}${Buffer.byteLength(body)}\r\n\r\n${body}`;
  }

  async chat(request) {
    const connection = this.#idle.pop() ?? (await Connection.open(this.#url));
    const answer = await connection.chat(this.#request(request));
    this.#idle.push(connection);
    return answer;
  }

  async *stream(request) {
    const connection = this.#idle.pop() ?? (await Connection.open(this.#url));
    connection.begin(this.#request(request), true);
    let ended = false;
    for (;;) {
      for (const event of connection.take()) {
        if (event === "[DONE]") ended = true;
        else yield JSON.parse(event);
      }
      if (connection.complete) break;
      await connection.wait();
    }
    if (!ended) throw new Error("the stream broke off");
    this.#idle.push(connection);
  }
}

export function open(baseUrl, request) {
  const client = new RawClient(new URL(baseUrl), "sk-benchmark");
  const streamed = { ...request, stream: true };
  return {
    chat: async () => {
      const { choices, usage } = await client.chat(request);
      return { text: choices[0].message.content, tokens: usage.total_tokens };
    },
    stream: () => client.stream(streamed),
    text: ({ choices }) => choices[0]?.delta.content ?? "",
  };
}
