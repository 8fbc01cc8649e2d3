// The addon is the part of liter_llm.h that JavaScript needs, and the one doorbell that wakes it.
//
// Each environment (the main thread, every worker) has an Addon of its own with one thread-safe
// function. A queue's doorbell, on a thread of the library, marks its Source as due and calls that
// function, unless a call is pending. On the environment's thread `Drain` then reads every due
// queue into one buffer. It hands the buffer to JavaScript, which knows the request of each record.
//
// `Stop` ends an environment. It is a cleanup hook that runs before the hook of the thread-safe
// function, which was made earlier. First the doorbells are ended, after which no thread of the
// library is or will be in here. Then the thread-safe function is released, and then the queues are
// freed. The shared object is linked with -z nodelete, because the library's threads outlive a
// worker that alone had loaded it.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <napi.h>

#include "liter_llm.h"

namespace {

constexpr size_t kKept = 1 << 20;  // bytes that a scratch text keeps between calls

// A string or byte array of JavaScript as UTF-8. A string takes one copy into memory that is used
// again, and bytes stay in place, unless other threads share their memory: the engine must not read
// anything that changes after it was checked.
class Text {
 public:
  // Reads a string or a Uint8Array. undefined is no text: `data` is NULL. Returns false for other
  // values.
  bool Read(const Napi::Value& value) {
    data = nullptr;
    size = 0;
    if (value.IsString()) return ReadString(value);
    if (value.IsTypedArray()) {
      Napi::Uint8Array array = value.As<Napi::Uint8Array>();
      size = array.ByteLength();
      data = size == 0 ? "" : reinterpret_cast<const char*>(array.Data());
      if (size > 0 && IsShared(value)) {
        Reserve(size);
        std::memcpy(memory_.get(), data, size);
        data = memory_.get();
      }
      return true;
    }
    return value.IsUndefined();
  }

  // Gives back the memory of a large text.
  void Trim() {
    if (capacity_ <= kKept) return;
    memory_.reset();
    capacity_ = 0;
  }

  const char* data = nullptr;
  size_t size = 0;

 private:
  static bool IsShared(const Napi::Value& array) {
    napi_value buffer = nullptr;
    bool owned = false;
    napi_get_typedarray_info(array.Env(), array, nullptr, nullptr, nullptr, &buffer, nullptr);
    napi_is_arraybuffer(array.Env(), buffer, &owned);
    return !owned;
  }

  void Reserve(size_t needed) {
    if (needed <= capacity_) return;
    capacity_ = std::max(needed, size_t{4096});
    memory_.reset(new char[capacity_]);
  }

  bool ReadString(const Napi::Value& value) {
    napi_env env = value.Env();
    size_t units = 0;
    napi_get_value_string_utf16(env, value, nullptr, 0, &units);
    // Three bytes a unit are enough for any text. A text beyond the kept size is measured instead.
    size_t needed = units * 3 + 1;
    if (needed > kKept) {
      napi_get_value_string_utf8(env, value, nullptr, 0, &needed);
      needed += 1;
    }
    Reserve(needed);
    data = memory_.get();
    return napi_get_value_string_utf8(env, value, memory_.get(), capacity_, &size) == napi_ok;
  }

  std::unique_ptr<char[]> memory_;
  size_t capacity_ = 0;
};

// A document of the engine as a string. Characters that are not ASCII become escapes of JSON, so
// that V8 keeps and parses one byte a character. A single dash would make it two. A document with
// many such characters stays as it is, and so does a large one.
class Document {
 public:
  napi_value Make(napi_env env, const char* text, size_t size) {
    napi_value made = nullptr;
    size_t high = High(text, size);
    if (high > size / 8 || size > kKept) {
      napi_create_string_utf8(env, text, size, &made);
    } else {
      if (high > 0) {
        size = Escape(text, size, high);
        text = memory_.get();
      }
      napi_create_string_latin1(env, text, size, &made);
    }
    return made;
  }

 private:
  static constexpr uint64_t kHigh = 0x8080808080808080;

  static uint64_t Word(const char* text) {
    uint64_t word;
    std::memcpy(&word, text, sizeof word);
    return word;
  }

  // The number of bytes in characters that are not ASCII.
  static size_t High(const char* text, size_t size) {
    size_t high = 0;
    size_t at = 0;
    for (; at + 8 <= size; at += 8) {
      uint64_t word = Word(text + at) & kHigh;
      if (word != 0) high += static_cast<size_t>(__builtin_popcountll(word));
    }
    for (; at < size; at++) high += static_cast<unsigned char>(text[at]) >> 7;
    return high;
  }

  size_t Escape(const char* text, size_t size, size_t high) {
    if (size_t needed = size + 2 * high; needed > capacity_) {
      capacity_ = std::max(needed, size_t{4096});
      memory_.reset(new char[capacity_]);
    }
    char* out = memory_.get();
    const char* end = text + size;
    while (text < end) {
      if (end - text >= 8 && (Word(text) & kHigh) == 0) {
        std::memcpy(out, text, 8);
        text += 8;
        out += 8;
      } else if (static_cast<signed char>(*text) >= 0) {
        *out++ = *text++;
      } else {
        out = Character(text, out);
      }
    }
    return static_cast<size_t>(out - memory_.get());
  }

  // The engine's documents are UTF-8, so a character is whole.
  static char* Character(const char*& text, char* out) {
    auto next = [&] { return static_cast<uint32_t>(static_cast<unsigned char>(*text++)); };
    uint32_t lead = next();
    int more = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    uint32_t point = lead & (0x3fu >> more);
    for (; more > 0; more--) point = point << 6 | (next() & 0x3f);
    if (point < 0x10000) return Unit(point, out);
    return Unit(0xdc00 + (point & 0x3ff), Unit(0xd7c0 + (point >> 10), out));
  }

  static char* Unit(uint32_t unit, char* out) {
    *out++ = '\\';
    *out++ = 'u';
    for (int shift = 12; shift >= 0; shift -= 4) *out++ = "0123456789abcdef"[unit >> shift & 15];
    return out;
  }

  std::unique_ptr<char[]> memory_;
  size_t capacity_ = 0;
};

class Addon;

// A queue of the library, and whether it has something to read.
struct Source {
  Addon* addon;
  liter_llm_queue* queue;
  std::atomic<bool> rang{false};  // in the list `ready_`
  Source* next = nullptr;         // there
  bool due = false;               // in `due_`
};

class Addon : public Napi::Addon<Addon> {
 public:
  Addon(Napi::Env env, Napi::Object exports) : env_(env) {
    if (liter_llm_abi_version() != LITER_LLM_ABI_VERSION) {
      Napi::Error::New(env, "the library's ABI version is not that of this addon: rebuild it")
          .ThrowAsJavaScriptException();
      return;
    }
    DefineAddon(exports, {InstanceMethod("start", &Addon::Start),
                          InstanceMethod("resume", &Addon::Resume),
                          InstanceMethod("open", &Addon::Open),
                          InstanceMethod("close", &Addon::Close),
                          InstanceMethod("metrics", &Addon::Metrics),
                          InstanceMethod("call", &Addon::Call),
                          InstanceMethod("source", &Addon::NewSource),
                          InstanceMethod("text", &Addon::Records),
                          InstanceMethod("submit", &Addon::Submit),
                          InstanceMethod("cancel", &Addon::Cancel),
                          InstanceMethod("collect", &Addon::Collect),
                          InstanceMethod("credit", &Addon::Credit),
                          InstanceMethod("hold", &Addon::Hold),
                          InstanceMethod("logs", &Addon::Logs),
                          InstanceValue("version", Napi::String::New(env, liter_llm_version()))});
  }

  ~Addon() {
    Stop();
    liter_llm_queue_free(alone_);
  }

 private:
  // text(start, end): a document among the records that are being delivered.
  Napi::Value Records(const Napi::CallbackInfo& info) {
    size_t start = info[0].As<Napi::Number>().Uint32Value();
    size_t end = info[1].As<Napi::Number>().Uint32Value();
    napi_value text = document_.Make(env_, records_ + start, end - start);
    if (text == nullptr) {
      Napi::Error::New(env_, "the document is longer than a string can be")
          .ThrowAsJavaScriptException();
    }
    return Napi::Value(env_, text);
  }

  // start(buffer, deliver): from now on `deliver(bytes, buffer)` is called with records in
  // `buffer`. A record that is larger comes in another buffer. After an answer of true, the next
  // call comes only after `resume`. The last `deliver` given is called, because JavaScript may be
  // loaded again and keep this addon.
  void Start(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    buffer_ = Napi::Persistent(info[0].As<Napi::Uint8Array>());
    deliver_ = Napi::Persistent(info[1].As<Napi::Function>());
    if (wake_ != nullptr) return;
    napi_value name = Napi::String::New(env, "liter-llm");
    // Jest's --detectOpenHandles and its like ask the resource whether it keeps the process alive.
    Napi::Object resource = Napi::Object::New(env);
    auto held = [this](const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), held_); };
    resource.Set("hasRef", Napi::Function::New(env, held, "hasRef"));
    napi_status status = napi_create_threadsafe_function(
        env, nullptr, resource, name, 0, 1, nullptr, nullptr, this,
        [](napi_env env, napi_value, void* addon, void*) {
          // Without an environment, the environment is being torn down and the addon may be gone.
          if (env != nullptr) static_cast<Addon*>(addon)->Drain();
        },
        &wake_);
    if (status != napi_ok) {
      Napi::Error::New(env, "no thread-safe function could be made").ThrowAsJavaScriptException();
      return;
    }
    napi_unref_threadsafe_function(env, wake_);
    napi_add_env_cleanup_hook(env, [](void* addon) { static_cast<Addon*>(addon)->Stop(); }, this);
  }

  void Stop() {
    if (wake_ == nullptr) return;
    for (auto& source : sources_) {
      liter_llm_queue_notify(source->queue, nullptr, nullptr);
    }
    napi_release_threadsafe_function(wake_, napi_tsfn_abort);
    wake_ = nullptr;
    for (auto& source : sources_) liter_llm_queue_free(source->queue);
    sources_.clear();
    due_.clear();
    ready_.store(nullptr);
  }

  // ---- Waking up --------------------------------------------------------------------------------

  // Runs on any thread of the library.
  static void Ring(void* user_data) {
    auto* source = static_cast<Source*>(user_data);
    if (!source->rang.exchange(true)) source->addon->Add(source);
  }

  void Add(Source* source) {
    source->next = ready_.load();
    while (!ready_.compare_exchange_weak(source->next, source)) {
    }
    Wake();
  }

  void Wake() {
    if (!woken_.exchange(true)) napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
  }

  // resume()
  void Resume(const Napi::CallbackInfo&) {
    resting_ = false;
    Drain();
  }

  void Drain() {
    if (resting_) return;  // `woken_` stays: `resume` reads what rings until then
    woken_.store(false);
    while (Collect()) {
      Napi::HandleScope scope(env_);
      Napi::Uint8Array buffer = buffer_.Value();
      size_t size = Fill(buffer.Data(), buffer.ByteLength());
      if (size == 0 && !due_.empty()) {
        size_t needed = liter_llm_queue_next_size(due_.front()->queue);
        buffer = Napi::Buffer<uint8_t>::New(env_, needed);
        size = Fill(buffer.Data(), needed);
      }
      if (size == 0) continue;
      records_ = reinterpret_cast<const char*>(buffer.Data());
      napi_value arguments[] = {Napi::Number::New(env_, static_cast<double>(size)), buffer};
      napi_value self = env_.Undefined();
      napi_value rest = nullptr;
      // `deliver` throws nothing of its own. If it cannot be called, the environment is being
      // terminated.
      if (napi_call_function(env_, self, deliver_.Value(), 2, arguments, &rest) != napi_ok) return;
      napi_get_value_bool(env_, rest, &resting_);
      if (resting_) return;
    }
  }

  // Moves the queues that rang into `due_`, in the order in which they rang. Returns whether any is
  // due.
  bool Collect() {
    size_t before = due_.size();
    Source* next = nullptr;
    for (Source* source = ready_.exchange(nullptr); source != nullptr; source = next) {
      next = source->next;
      source->rang.store(false);  // before the read, so that a later event rings anew
      if (!std::exchange(source->due, true)) due_.push_back(source);
    }
    std::reverse(due_.begin() + static_cast<std::ptrdiff_t>(before), due_.end());
    return !due_.empty();
  }

  // Reads due queues until the buffer is full. A queue that did not fit stays the first.
  size_t Fill(uint8_t* data, size_t capacity) {
    size_t size = 0;
    while (!due_.empty()) {
      Source* source = due_.front();
      int64_t got = liter_llm_queue_read(source->queue, data + size, capacity - size, 0);
      if (got == LITER_LLM_E_SPACE) return size;
      if (got > 0) size += static_cast<size_t>(got);
      source->due = false;
      due_.pop_front();
    }
    return size;
  }

  // ---- Clients ----------------------------------------------------------------------------------

  // open(config | undefined, environment): the handle, an error document, or a negative status.
  Napi::Value Open(const Napi::CallbackInfo& info) {
    Text config;
    Text environment;
    if (!config.Read(info[0]) || !environment.Read(info[1])) return Number(LITER_LLM_E_ARGUMENT);
    liter_llm_client* client = nullptr;
    char* error = nullptr;
    int32_t status = liter_llm_client_new_with_environment(
        config.data, config.size, environment.data, environment.size, &client, &error);
    if (status == LITER_LLM_FAILED) return Take(error, std::strlen(error));
    if (status < 0) return Number(status);
    return Napi::External<liter_llm_client>::New(
        info.Env(), client, [](Napi::Env, liter_llm_client* gone) { liter_llm_client_free(gone); });
  }

  // close(client): cancels what runs.
  Napi::Value Close(const Napi::CallbackInfo& info) {
    return Number(liter_llm_client_close(Client(info[0]), 0));
  }

  // metrics(client, format): a document, or a negative status.
  Napi::Value Metrics(const Napi::CallbackInfo& info) {
    std::string format = info[1].As<Napi::String>();
    char* out = nullptr;
    size_t size = 0;
    int32_t status = liter_llm_client_metrics(Client(info[0]), format.c_str(), &out, &size);
    return status < 0 ? Number(status) : Take(out, size);
  }

  // call(client, request, options): waits for one answer. [status, document or undefined].
  Napi::Value Call(const Napi::CallbackInfo& info) {
    const uint32_t how = LITER_LLM_SUBMIT_INLINE | LITER_LLM_SUBMIT_SINGLE;
    int32_t status = LITER_LLM_E_ARGUMENT;
    if (ReadTexts(info[1], info[2])) {
      status = alone_ == nullptr ? liter_llm_queue_new(0, &alone_) : LITER_LLM_OK;
      if (status == LITER_LLM_OK) {
        status = liter_llm_submit(Client(info[0]), alone_, 1, how, request_.data, request_.size,
                                  options_.data, options_.size);
      }
    }
    request_.Trim();
    Napi::Array both = Napi::Array::New(info.Env(), 2);
    if (status == LITER_LLM_OK) both.Set(1u, Await(&status));
    both.Set(0u, Number(status));
    return both;
  }

  // The only event of the only request of `alone_`.
  Napi::Value Await(int32_t* status) {
    std::vector<uint8_t> record(4096);
    int64_t got;
    while ((got = liter_llm_queue_read(alone_, record.data(), record.size(), -1)) ==
           LITER_LLM_E_SPACE) {
      record.resize(liter_llm_queue_next_size(alone_));
    }
    if (got < 0) {
      *status = static_cast<int32_t>(got);
      return env_.Undefined();
    }
    liter_llm_event event;
    std::memcpy(&event, record.data(), sizeof event);
    *status = event.kind == LITER_LLM_EVENT_RESULT ? LITER_LLM_OK : LITER_LLM_FAILED;
    const char* text = reinterpret_cast<const char*>(record.data()) + sizeof event;
    return Napi::String::New(env_, text, event.len);
  }

  // ---- Queues and work --------------------------------------------------------------------------

  // source(): the number of a new queue, or a negative status.
  Napi::Value NewSource(const Napi::CallbackInfo&) {
    auto source = std::make_unique<Source>();
    source->addon = this;
    int32_t status = liter_llm_queue_new(0, &source->queue);
    if (status != LITER_LLM_OK) return Number(status);
    liter_llm_queue_notify(source->queue, Ring, source.get());
    sources_.push_back(std::move(source));
    return Number(static_cast<double>(sources_.size() - 1));
  }

  // submit(client, source, token, flags, request, options): a status.
  Napi::Value Submit(const Napi::CallbackInfo& info) {
    int32_t status = LITER_LLM_E_ARGUMENT;
    if (ReadTexts(info[4], info[5])) {
      auto token = static_cast<uint64_t>(info[2].As<Napi::Number>().Int64Value());
      uint32_t how = info[3].As<Napi::Number>().Uint32Value();
      status = liter_llm_submit(Client(info[0]), At(info[1])->queue, token, how, request_.data,
                                request_.size, options_.data, options_.size);
    }
    request_.Trim();
    return Number(status);
  }

  // cancel(source, token)
  void Cancel(const Napi::CallbackInfo& info) {
    auto token = static_cast<uint64_t>(info[1].As<Napi::Number>().Int64Value());
    liter_llm_cancel(At(info[0])->queue, token);
  }

  // collect(source, token): no further chunk of it.
  void Collect(const Napi::CallbackInfo& info) {
    auto token = static_cast<uint64_t>(info[1].As<Napi::Number>().Int64Value());
    liter_llm_collect(At(info[0])->queue, token);
  }

  // credit(source, token, bytes): so many bytes more of its chunks are consumed.
  void Credit(const Napi::CallbackInfo& info) {
    auto token = static_cast<uint64_t>(info[1].As<Napi::Number>().Int64Value());
    auto bytes = static_cast<uint64_t>(info[2].As<Napi::Number>().Int64Value());
    liter_llm_credit(At(info[0])->queue, token, bytes);
  }

  // hold(on): whether the environment stays alive for the promises that are awaited.
  void Hold(const Napi::CallbackInfo& info) {
    held_ = info[0].As<Napi::Boolean>();
    if (held_) {
      napi_ref_threadsafe_function(env_, wake_);
    } else {
      napi_unref_threadsafe_function(env_, wake_);
    }
  }

  // logs(source, level): log records of the process come through this queue, under the token 0.
  Napi::Value Logs(const Napi::CallbackInfo& info) {
    return Number(liter_llm_queue_logs(At(info[0])->queue, info[1].As<Napi::Number>()));
  }

  // ---- Values -----------------------------------------------------------------------------------

  bool ReadTexts(const Napi::Value& request, const Napi::Value& options) {
    return request_.Read(request) && options_.Read(options);
  }

  static liter_llm_client* Client(const Napi::Value& value) {
    return value.As<Napi::External<liter_llm_client>>().Data();
  }

  std::unique_ptr<Source>& At(const Napi::Value& number) {
    return sources_[number.As<Napi::Number>().Uint32Value()];
  }

  Napi::Value Number(double value) { return Napi::Number::New(env_, value); }

  // A string in place of a document of the library.
  Napi::Value Take(char* document, size_t size) {
    Napi::Value text = Napi::String::New(env_, document, size);
    liter_llm_free(document);
    return text;
  }

  Napi::Env env_;
  Napi::Reference<Napi::Uint8Array> buffer_;
  Napi::FunctionReference deliver_;
  napi_threadsafe_function wake_ = nullptr;
  std::atomic<bool> woken_{false};        // a call of `wake_` is pending
  bool held_ = false;                     // the environment stays alive for a promise
  bool resting_ = false;                  // until `resume`
  std::atomic<Source*> ready_{nullptr};   // the queues that rang, the last first
  std::deque<Source*> due_;               // the queues to read, on the environment's thread
  std::vector<std::unique_ptr<Source>> sources_;
  Text request_, options_;
  liter_llm_queue* alone_ = nullptr;  // of `Call`
  Document document_;
  const char* records_ = nullptr;  // while `deliver_` runs
};

}  // namespace

NODE_API_ADDON(Addon)
