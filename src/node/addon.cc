// The Node-API face of the engine; the only file that includes napi.h. Values cross as strings:
// JSON is made and read on both sides, and nothing of JavaScript lives on the engine thread.
//
// Lifetime rules; a crash showed the need for each:
// 1. An environment (main thread, Worker) holds the engine through its EnvData. The cleanup hook or
//    process.once("exit"), whichever comes first, releases it, so that the engine thread is joined
//    while the environment is still alive.
// 2. The ThreadSafeFunction may be finalized after everything else: callers use a shared Wake,
// never
//    `this`, and it carries no data. Batches wait in the binding's mailbox until the JS thread
//    takes them.
// 3. Wake's mutex makes closing and calling exclusive; after napi_closing the function is never
//    used again.
// 4. The ThreadSafeFunction is unref'd: an idle engine does not keep the process alive.

#include <napi.h>

#include <array>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/mutex.h"
#include "engine/engine.h"
#include "engine/shared_engine.h"
#include "node/factory.h"

namespace orchestrator::node {
namespace {

class EnvData;

/// Wakes one binding's JS callback from the engine thread.
class Wake {
 public:
  void arm(napi_threadsafe_function function) {
    base::Lock lock(mutex_);
    function_ = function;
  }
  /// Any thread. Does nothing after disarm().
  void call() {
    base::Lock lock(mutex_);
    if (function_ == nullptr) return;
    const napi_status status =
        napi_call_threadsafe_function(function_, nullptr, napi_tsfn_nonblocking);
    if (status == napi_closing) function_ = nullptr;  // the call released the last reference
  }
  /// JS thread.
  void disarm() {
    base::Lock lock(mutex_);
    if (function_ == nullptr) return;
    napi_release_threadsafe_function(function_, napi_tsfn_abort);
    function_ = nullptr;
  }

 private:
  base::Mutex mutex_;
  napi_threadsafe_function function_ ORCH_GUARDED_BY(mutex_) = nullptr;
};

/// The JS object that open() answers.
class BindingObject : public Napi::ObjectWrap<BindingObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Binding",
                       {InstanceMethod<&BindingObject::post>("post"),
                        InstanceMethod<&BindingObject::watches>("watches"),
                        InstanceMethod<&BindingObject::session_info>("sessionInfo"),
                        InstanceMethod<&BindingObject::close>("close")});
  }
  explicit BindingObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<BindingObject>(info) {}
  ~BindingObject() override { shut(); }

  /// Joins the object to the engine. False: a JS exception is pending.
  bool open(Napi::Env env, EnvData& data, const Napi::Object& options);
  /// Ends both directions. JS thread; twice is fine.
  void shut();

 private:
  Napi::Value post(const Napi::CallbackInfo& info);
  Napi::Value watches(const Napi::CallbackInfo& info);
  Napi::Value session_info(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);
  static void deliver(napi_env env, napi_value callback, void* context, void* data);

  /// Outlives the object: the ThreadSafeFunction holds it until it is finalized.
  struct Link {
    std::shared_ptr<engine::Binding> binding;
    Wake wake;
  };
  std::shared_ptr<Link> link_;
  EnvData* data_ = nullptr;
};

/// What one environment owns. Reached from its JS thread alone.
class EnvData {
 public:
  Napi::FunctionReference binding_class;
  std::set<BindingObject*> bindings;
  std::uint64_t callback_errors = 0;
  std::string last_callback_error;

  engine::Engine& engine() {
    if (!use_) use_ = std::make_unique<engine::EngineUse>(directory_factory());
    return use_->engine();
  }
  void note(std::string_view callback_error) {
    ++callback_errors;
    last_callback_error = callback_error;
  }
  [[nodiscard]] bool running() const { return use_ != nullptr; }
  /// Closes every binding and releases the engine; the last environment waits for the engine's end.
  void leave() {
    while (!bindings.empty()) (*bindings.begin())->shut();
    use_.reset();
  }

 private:
  std::unique_ptr<engine::EngineUse> use_;
};

Napi::Value fail(Napi::Env env, const std::string& message) {
  Napi::Error::New(env, message).ThrowAsJavaScriptException();
  return env.Undefined();
}

bool BindingObject::open(Napi::Env env, EnvData& data, const Napi::Object& options) {
  const Napi::Value directory = options.Get("directory");
  const Napi::Value json = options.Get("options");
  const Napi::Value callback = options.Get("onEffects");
  if (!directory.IsString() || !(json.IsString() || json.IsUndefined()) || !callback.IsFunction()) {
    fail(env, "open: {directory: string, options?: JSON string, onEffects: function} is needed");
    return false;
  }
  link_ = std::make_shared<Link>();
  auto context = std::make_unique<std::shared_ptr<Link>>(link_);
  napi_threadsafe_function function = nullptr;
  const napi_status status = napi_create_threadsafe_function(
      env, callback, nullptr, Napi::String::New(env, "orchestrator"), 0, 1, context.get(),
      [](napi_env, void* link, void*) { delete static_cast<std::shared_ptr<Link>*>(link); },
      context.get(), &BindingObject::deliver, &function);
  if (status != napi_ok) {
    fail(env, "open: no ThreadSafeFunction could be made");
    return false;
  }
  (void)context.release();
  napi_unref_threadsafe_function(env, function);
  link_->wake.arm(function);
  data_ = &data;
  data.bindings.insert(this);

  std::weak_ptr<Link> weak = link_;
  auto opened =
      data.engine().open(directory.As<Napi::String>().Utf8Value(),
                         json.IsString() ? json.As<Napi::String>().Utf8Value() : "{}", [weak] {
                           if (const auto link = weak.lock()) link->wake.call();
                         });
  if (!opened) {
    shut();
    fail(env, "open: " + opened.error().text());
    return false;
  }
  link_->binding = std::move(opened).value();
  link_->wake.call();  // for batches that arrived before the link had its binding
  return true;
}

void BindingObject::shut() {
  if (data_ == nullptr) return;
  data_->bindings.erase(this);
  data_ = nullptr;
  if (link_->binding) link_->binding->close();
  link_->wake.disarm();
}

Napi::Value BindingObject::post(const Napi::CallbackInfo& info) {
  if (info.Length() < 1 || !info[0].IsString()) {
    return fail(info.Env(), "post: a JSON string is needed");
  }
  const bool taken =
      data_ != nullptr && link_->binding->post(info[0].As<Napi::String>().Utf8Value());
  return Napi::Boolean::New(info.Env(), taken);
}

Napi::Value BindingObject::watches(const Napi::CallbackInfo& info) {
  // Called for every event of the host: no allocation for ids of a usual length.
  std::array<char, 128> text;
  std::size_t length = 0;
  if (info.Length() < 1 || !info[0].IsString()) {
    return fail(info.Env(), "watches: a session id is needed");
  }
  napi_get_value_string_utf8(info.Env(), info[0], text.data(), text.size(), &length);
  const bool answer = data_ != nullptr && length < text.size() - 1 &&
                      link_->binding->watches({text.data(), length});
  return Napi::Boolean::New(info.Env(), answer);
}

Napi::Value BindingObject::session_info(const Napi::CallbackInfo& info) {
  if (info.Length() < 1 || !info[0].IsString()) {
    return fail(info.Env(), "sessionInfo: a session id is needed");
  }
  if (data_ == nullptr) return info.Env().Undefined();
  const auto text = link_->binding->session_info(info[0].As<Napi::String>().Utf8Value());
  return text ? Napi::String::New(info.Env(), *text) : info.Env().Undefined();
}

Napi::Value BindingObject::close(const Napi::CallbackInfo& info) {
  shut();
  return info.Env().Undefined();
}

/// An exception of a callback is counted and kept for info(): it must end neither the host nor the
/// other batches. Plain Node-API: a Worker that is being terminated comes here too, every
/// conversion then fails, and Napi's wrappers answer a failure with an empty value whose next use
/// aborts the process.
void note_callback_error(napi_env env, napi_value thrown) {
  napi_value text = nullptr;
  std::array<char, 512> bytes{};
  std::size_t length = 0;
  if (napi_coerce_to_string(env, thrown, &text) != napi_ok) return;
  if (napi_get_value_string_utf8(env, text, bytes.data(), bytes.size(), &length) != napi_ok) return;
  void* data = nullptr;
  if (napi_get_instance_data(env, &data) != napi_ok || data == nullptr) return;
  static_cast<EnvData*>(data)->note({bytes.data(), length});
}

void BindingObject::deliver(napi_env env, napi_value callback, void* context, void*) {
  if (env == nullptr || callback == nullptr) return;  // the environment is going away
  const std::shared_ptr<Link> link = *static_cast<std::shared_ptr<Link>*>(context);
  if (!link->binding) return;
  // Takes only what was there at the start, so that a busy engine cannot block the JS thread.
  constexpr int kBatchesMax = 256;
  for (int i = 0; i < kBatchesMax; ++i) {
    const auto batch = link->binding->take();
    if (!batch) return;
    const Napi::HandleScope scope(env);
    napi_value text = nullptr;
    napi_value receiver = nullptr;
    napi_value result = nullptr;
    if (napi_create_string_utf8(env, batch->data(), batch->size(), &text) != napi_ok) return;
    napi_get_undefined(env, &receiver);
    if (napi_call_function(env, receiver, callback, 1, &text, &result) == napi_ok) continue;
    napi_value thrown = nullptr;
    bool pending = false;
    napi_is_exception_pending(env, &pending);
    if (!pending) return;  // the environment is being terminated
    if (napi_get_and_clear_last_exception(env, &thrown) != napi_ok) return;
    note_callback_error(env, thrown);
  }
  link->wake.call();
}

Napi::Value open(const Napi::CallbackInfo& info) {
  EnvData& data = *info.Env().GetInstanceData<EnvData>();
  if (info.Length() < 1 || !info[0].IsObject())
    return fail(info.Env(), "open: an object is needed");
  const Napi::Object object = data.binding_class.New({});
  if (object.IsEmpty()) return info.Env().Undefined();
  BindingObject* const binding = BindingObject::Unwrap(object);
  if (!binding->open(info.Env(), data, info[0].As<Napi::Object>())) return info.Env().Undefined();
  return object;
}

void set_number(Napi::Object& object, const char* name, std::uint64_t value) {
  object.Set(name, static_cast<double>(value));
}

Napi::Value info_of(const Napi::CallbackInfo& info) {
  EnvData& data = *info.Env().GetInstanceData<EnvData>();
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("version", ORCH_VERSION);
  object.Set("uvVersion", engine::uv_version());
  object.Set("running", engine::engine_uses() > 0);
  set_number(object, "environments", engine::engine_uses());
  set_number(object, "bindings", data.bindings.size());
  set_number(object, "callbackErrors", data.callback_errors);
  object.Set("lastCallbackError", data.last_callback_error);
  if (data.running()) {
    const engine::EngineStats stats = data.engine().stats();
    set_number(object, "directories", stats.directories);
    set_number(object, "messages", stats.messages);
    set_number(object, "batches", stats.batches);
    set_number(object, "refused", stats.refused);
    set_number(object, "droppedSends", stats.dropped_sends);
    set_number(object, "failures", stats.failures);
  }
  return object;
}

/// process.once("exit", …): process.exit() and uncaught errors do not always run cleanup hooks.
void leave_at_exit(Napi::Env env, EnvData* data) {
  const Napi::Value process = env.Global().Get("process");
  if (!process.IsObject()) return;
  const Napi::Value once = process.As<Napi::Object>().Get("once");
  if (!once.IsFunction()) return;
  const auto handler =
      Napi::Function::New(env, [data](const Napi::CallbackInfo&) { data->leave(); });
  once.As<Napi::Function>().Call(process, {Napi::String::New(env, "exit"), handler});
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  auto* const data = new EnvData;
  env.SetInstanceData(data);
  data->binding_class = Napi::Persistent(BindingObject::define(env));
  napi_add_env_cleanup_hook(
      env, [](void* held) { static_cast<EnvData*>(held)->leave(); }, data);
  leave_at_exit(env, data);
  exports.Set("open", Napi::Function::New(env, open));
  exports.Set("info", Napi::Function::New(env, info_of));
  return exports;
}

}  // namespace

Napi::Object register_addon(Napi::Env env, Napi::Object exports) { return init(env, exports); }

}  // namespace orchestrator::node

using orchestrator::node::register_addon;
NODE_API_MODULE(orchestrator, register_addon)
