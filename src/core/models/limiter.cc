#include "core/models/limiter.h"

#include <algorithm>

#include "base/text.h"
#include "core/models/budget.h"
#include "core/models/error_class.h"
#include "core/state/sessions.h"

namespace orchestrator::core {
namespace {

/// A model whose provider asks for a longer delay than this is replaced by its fallback, if there
/// is one.
constexpr TimeMs kPatienceMs = 60'000;
/// Good answers before a limit grows, as long as no ceiling is known.
constexpr std::uint32_t kRunFirst = 2;
/// Good answers before a limit grows to its ceiling or beyond, for each session of the limit: the
/// attempt may cost a refusal.
constexpr std::uint32_t kRunBeyond = 4;
constexpr std::uint32_t kMissesMax = 5;
constexpr std::size_t kModelsMax = 64;
constexpr std::size_t kChainMax = 4;
constexpr std::uint32_t kRateLimitedAttempts = 3;

const ModelLoad* find_load(const State& state, const std::string& model) {
  const auto it = std::ranges::find(state.limiter.models, model, &ModelLoad::model);
  return it == state.limiter.models.end() ? nullptr : &*it;
}

std::uint32_t cap_of(const State& state, const std::string& model) {
  const auto& caps = state.options.parallel.per_model;
  const auto it = caps.find(model);
  const std::uint32_t cap = it == caps.end() ? state.parallel_max : it->second;
  return std::max(1U, std::min(cap, state.parallel_max));
}

ModelLoad& load_of(State& state, const std::string& model) {
  std::vector<ModelLoad>& models = state.limiter.models;
  const auto it = std::ranges::find(models, model, &ModelLoad::model);
  if (it != models.end()) return *it;
  if (models.size() >= kModelsMax) return models.back();
  ModelLoad load;
  // The figures collected before the host reported a name belong to this model.
  if (const ModelLoad* unnamed = find_load(state, ""); unnamed != nullptr && models.size() == 1)
    load = *unnamed;
  load.model = model;
  if (load.limit == 0) load.limit = std::max(1U, state.parallel);
  load.limit = std::min(load.limit, cap_of(state, model));
  models.push_back(std::move(load));
  return models.back();
}

const std::string& role_key(const State& state, Role role, const std::string& model) {
  static const std::string kNotKnown;
  if (!model.empty()) return model;
  const auto& seen = state.limiter.seen;
  if (const auto it = seen.find(std::string(to_name(role))); it != seen.end()) return it->second;
  // Until the host reports the model of this role, assume the model of another role, but not if the
  // user has set caps.
  if (seen.empty() || !state.options.parallel.per_model.empty()) return kNotKnown;
  return seen.begin()->second;
}

/// Model of a child session (null: of the Commander).
const std::string& model_asked_by(const State& state, const Session* session) {
  return session == nullptr ? state.commander.model : model_of(state, *session);
}

std::uint32_t used(const State& state, const std::string& model, const Session* without) {
  return static_cast<std::uint32_t>(std::ranges::count_if(state.sessions, [&](const Session& s) {
    return &s != without && holds_slot(s) && model_of(state, s) == model;
  }));
}

/// Sessions of the model that wait for no retry, so their requests are probably being answered.
std::uint32_t served(const State& state, const std::string& model) {
  return static_cast<std::uint32_t>(std::ranges::count_if(state.sessions, [&](const Session& s) {
    return holds_slot(s) && !s.turn.retrying && model_of(state, s) == model;
  }));
}

/// The models that a role may use: the user's choice first, then its fallbacks.
std::vector<std::string> chain_of(const State& state, Role role) {
  const Options& options = state.options;
  const std::string name(to_name(role));
  const auto chosen = options.models.find(name);
  std::vector<std::string> chain{chosen == options.models.end() ? "" : chosen->second};
  auto next = options.fallback.find(name);
  if (next == options.fallback.end())
    next = options.fallback.find(role_key(state, role, chain.front()));
  while (next != options.fallback.end() && chain.size() < kChainMax) {
    if (std::ranges::find(chain, next->second) != chain.end()) break;
    chain.push_back(next->second);
    next = options.fallback.find(next->second);
  }
  return chain;
}

/// Whether a session already tries the model, prompted after the model's cooldown.
bool is_tried(const State& state, const ModelLoad& load, const Session* without) {
  return std::ranges::any_of(state.sessions, [&](const Session& s) {
    return &s != without && holds_slot(s) && s.metering.asked_ms >= load.not_before_ms &&
           model_of(state, s) == load.model;
  });
}

/// Whether the model is in its cooldown, or asks for a delay longer than `kPatienceMs`.
bool is_failing(const ModelLoad& load, TimeMs now_ms) {
  return load.breaker == Breaker::open || load.not_before_ms > now_ms + kPatienceMs;
}

/// Whether one more session keeps the user's caps. An unknown model counts against every cap.
bool keeps_caps(const State& state, const std::string& model, const Session* session) {
  const auto& caps = state.options.parallel.per_model;
  if (caps.empty()) return true;
  if (model.empty()) {
    const auto others =
        static_cast<std::uint32_t>(std::ranges::count_if(state.sessions, [&](const Session& other) {
          return &other != session && holds_slot(other);
        }));
    return std::ranges::all_of(caps, [&](const auto& cap) { return others < cap.second; });
  }
  return !caps.contains(model) ||
         used(state, model, session) + used(state, "", session) < cap_of(state, model);
}

bool may_ask(const State& state, TimeMs now_ms, const std::string& model, const Session* session) {
  if (!keeps_caps(state, model, session)) return false;
  const ModelLoad* load = find_load(state, model);
  if (load == nullptr)
    return used(state, model, session) < std::min(state.parallel, cap_of(state, model));
  if (now_ms < load->not_before_ms || load->breaker == Breaker::open) return false;
  if (load->breaker == Breaker::half_open) return !is_tried(state, *load, session);
  return used(state, model, session) < load->limit;
}

bool is_passed_over(const State& state, TimeMs now_ms, const std::string& model,
                    const Session* session) {
  const ModelLoad* load = find_load(state, model);
  if (load == nullptr) return false;
  if (load->breaker == Breaker::half_open) return is_tried(state, *load, session);
  return is_failing(*load, now_ms);
}

std::string named(const std::string& model) { return model.empty() ? "the model" : model; }

void rest(Context& ctx, ModelLoad& load, TimeMs rest_ms) {
  load.breaker = Breaker::open;
  ctx.moved = true;  // its sessions may go to the fallback
  load.trips += 1;
  load.failures = 0;
  load.run = 0;
  const auto noise =
      static_cast<TimeMs>((ctx.state.seed ^ (ctx.state.clock.next_effect * 2654435761U)) %
                          static_cast<std::uint64_t>(rest_ms / 4 + 1));
  load.not_before_ms = std::max(load.not_before_ms, ctx.now_ms + rest_ms + noise);
  ctx.state.metrics.trips += 1;
  ctx.emit(ShowToast{"warning", named(load.model) + " does not answer (" +
                                    base::clip(load.error, 120) + "); next try in " +
                                    std::to_string((load.not_before_ms - ctx.now_ms + 999) / 1000) +
                                    " s"});
}

void count_failure(Context& ctx, ModelLoad& load, const std::string& message) {
  load.failures += 1;
  load.error = base::clip(message, 200);
  const bool spent = load.breaker == Breaker::closed && load.failures >= kFailuresMax;
  if (!spent && load.breaker != Breaker::half_open) return;
  rest(ctx, load, std::min(kCooldownMaxMs, kCooldownFirstMs << std::min(load.trips, 10U)));
}

/// Halves the model's limit. `asked_ms`: when the refused request went out.
void slow_down(Context& ctx, ModelLoad& load, TimeMs asked_ms, TimeMs delay_ms) {
  State& state = ctx.state;
  ctx.moved = true;  // a long delay makes sessions go to the fallback
  if (delay_ms >= kPatienceMs && load.not_before_ms < ctx.now_ms + delay_ms / 2) {
    ctx.emit(ShowToast{"warning", named(load.model) + "'s provider asks to wait " +
                                      std::to_string((delay_ms + 59'999) / 60'000) +
                                      " min; sessions of that model wait as long"});
  }
  load.not_before_ms = std::max(load.not_before_ms, ctx.now_ms + delay_ms);
  load.run = 0;
  const std::uint32_t in_use = used(state, load.model, nullptr);
  const std::uint32_t good = std::max(2U, served(state, load.model) + 1);
  // A session that began under the older limit meets the same congestion: do not halve twice.
  const bool known = in_use > load.limit || (load.slowed_ms > 0 && asked_ms <= load.slowed_ms);
  if (known && load.slowed_ms > 0) {
    load.ceiling = load.ceiling == 0 ? good : std::min(load.ceiling, good);
    return;
  }
  const bool tried_more = load.ceiling != 0 && load.limit >= load.ceiling;
  load.misses = tried_more ? load.misses + 1 : 0;
  load.ceiling = good;
  load.limit = std::max(1U, std::min(load.limit, std::max(in_use, 2U)) / 2);
  load.slowed_ms = ctx.now_ms;
  state.metrics.slowdowns += 1;
}

void grow_model(State& state, ModelLoad& load) {
  load.run += 1;
  if (load.limit >= cap_of(state, load.model)) return;
  // A limit that is not used up is not proved.
  if (used(state, load.model, nullptr) < load.limit) return;
  const bool proved = load.ceiling != 0 && load.limit >= load.ceiling;
  const bool beyond = load.ceiling != 0 && load.limit + 1 >= load.ceiling;
  // An attempt above the ceiling may cost a refusal and a wait: the more of them failed, the rarer.
  const std::uint32_t needed = beyond
                                   ? (kRunBeyond * load.limit) << std::min(load.misses, kMissesMax)
                               : load.ceiling != 0 ? 1
                                                   : kRunFirst;
  if (load.run < needed) return;
  load.run = 0;
  load.limit += 1;
  if (!proved) return;
  load.misses = 0;
  load.ceiling = load.limit + 1;
}

void grow_total(State& state) {
  Limiter& limiter = state.limiter;
  limiter.run += 1;
  if (state.parallel >= state.parallel_max || slots_used(state) < state.parallel) return;
  if (limiter.run < kRunFirst) return;
  limiter.run = 0;
  state.parallel += 1;
}

void halve_total(Context& ctx) {
  State& state = ctx.state;
  state.parallel = std::max(
      1U,
      std::min(state.parallel, std::max(static_cast<std::uint32_t>(slots_used(state)), 2U)) / 2);
  ctx.moved = true;  // an early review may have to give back its slot
  state.limiter.slowed_ms = ctx.now_ms;
  state.limiter.run = 0;
  state.metrics.slowdowns += 1;
}

}  // namespace

const std::string& model_of(const State& state, const Session& session) {
  if (!session.model_use.told.empty()) return session.model_use.told;
  return role_key(state, session.role, session.model_use.named);
}

bool has_room(const State& state) {
  const std::size_t slots = slots_used(state);
  if (state.limiter.load == Load::critical && slots > 0) return false;
  return slots < state.parallel;
}

bool has_room_for(const State& state, const Session& session) {
  const std::string& model = model_of(state, session);
  if (!has_room(state) || !keeps_caps(state, model, &session)) return false;
  const ModelLoad* load = find_load(state, model);
  return load == nullptr || used(state, model, &session) < load->limit;
}

bool is_cooling_down(const Context& ctx, const Session& session) {
  const ModelLoad* load = find_load(ctx.state, model_of(ctx.state, session));
  return load != nullptr && (ctx.now_ms < load->not_before_ms || load->breaker != Breaker::closed);
}

Choice choose_model(const State& state, TimeMs now_ms, Role role, const Session* session) {
  const std::vector<std::string> chain = chain_of(state, role);
  const bool tired = session != nullptr && session->model_use.failures >= kModelFailuresInSession;
  for (std::size_t k = 0; k < chain.size(); ++k) {
    const std::size_t i = tired ? (k + 1) % chain.size() : k;
    const std::string& key = role_key(state, role, chain[i]);
    const bool last = k + 1 == chain.size();
    if (!last && is_passed_over(state, now_ms, key, session)) continue;
    return {may_ask(state, now_ms, key, session), chain[i], i > 0};
  }
  return {};
}

void note_model(Context& ctx, Session* session, const std::string& model) {
  State& state = ctx.state;
  std::string& known = session == nullptr ? state.commander.model : session->model_use.told;
  if (model.empty() || known == model) return;
  const std::string name = base::clip(model, 200);
  if (session == nullptr) {
    known = name;
    return;
  }
  session->model_use.told = name;
  ctx.moved = true;  // its former model has room for one more session
  if (session->model_use.named.empty())
    state.limiter.seen[std::string(to_name(session->role))] = name;
  (void)load_of(state, name);
}

void on_good_answer(Context& ctx, Session* session) {
  State& state = ctx.state;
  if (session != nullptr) {
    session->model_use.failures = 0;
    session->turn.retrying = false;
    session->turn.error_class = ErrorClass::none;
    session->metering.asked_ms = ctx.now_ms;  // its next request starts now
    // The session's first answer ends the row of sessions lost to their model.
    Task* task = session->tokens == 0 ? find_task(state, session->task) : nullptr;
    if (task != nullptr) task->progress.sessions_lost = 0;
  }
  ModelLoad& load = load_of(state, model_asked_by(state, session));
  load.failures = 0;
  load.error.clear();
  load.refused = false;
  if (load.breaker != Breaker::closed) {
    load.breaker = Breaker::closed;
    load.trips = 0;
    load.not_before_ms = 0;
    ctx.emit(ShowToast{"info", named(load.model) + " answers again"});
    ctx.moved = true;
  }
  if (session == nullptr || state.limiter.load != Load::calm) return;
  const std::uint32_t before = load.limit + state.parallel;
  grow_model(state, load);
  grow_total(state);
  if (load.limit + state.parallel != before) ctx.moved = true;
}

void on_retried(Context& ctx, const SessionRetried& event) {
  State& state = ctx.state;
  const ErrorClass error_class = classify("APIError", event.message, 0);
  const TimeMs delay_ms = std::clamp<TimeMs>(event.delay_ms, 0, 24 * 3'600'000);
  TimeMs asked_ms = ctx.now_ms;
  state.metrics.retries += 1;
  Session* session = find_session(state, event.session);
  if (session != nullptr) {
    if (!holds_slot(*session)) return;
    asked_ms = session->metering.asked_ms;
    session->seen_ms = ctx.now_ms;
    session->turn.retrying = true;
    session->metering.asked_ms = ctx.now_ms + delay_ms;
  }
  ModelLoad& load = load_of(state, model_asked_by(state, session));
  if (is_congestion(error_class)) slow_down(ctx, load, asked_ms, delay_ms);
  // A rate limit counts as a failure only after several attempts of the same request.
  const bool failed =
      error_class != ErrorClass::rate_limit || event.attempt >= kRateLimitedAttempts;
  if (failed) count_failure(ctx, load, event.message);
}

void on_model_failure(Context& ctx, const Session& session, ErrorClass error_class,
                      const std::string& message) {
  ModelLoad& load = load_of(ctx.state, model_of(ctx.state, session));
  if (is_congestion(error_class)) slow_down(ctx, load, session.metering.asked_ms, 0);
  if (error_class != ErrorClass::refused) return count_failure(ctx, load, message);
  load.error = base::clip(message, 200);
  load.refused = true;
  if (load.breaker != Breaker::open) rest(ctx, load, kCooldownMaxMs);
}

bool is_hopeless(const State& state, const Session& session) {
  const std::vector<std::string> chain = chain_of(state, session.role);
  return std::ranges::all_of(chain, [&](const std::string& model) {
    const ModelLoad* load = find_load(state, role_key(state, session.role, model));
    if (load == nullptr) return false;
    return load->breaker != Breaker::closed && (load->refused || load->trips > kCooldownsMax);
  });
}

bool has_fallback(const State& state, const Session& session) {
  return chain_of(state, session.role).size() > 1;
}

std::string model_trouble(const State& state, const Session& session) {
  const std::string& model = model_of(state, session);
  const ModelLoad* load = find_load(state, model);
  return named(model) + (load == nullptr || load->error.empty() ? "" : ": " + load->error);
}

void on_host_trouble(Context& ctx) {
  // Sessions that were created together fail together: count that once.
  if (ctx.now_ms - ctx.state.limiter.slowed_ms < kCooldownFirstMs &&
      ctx.state.limiter.slowed_ms > 0)
    return;
  halve_total(ctx);
}

void on(Context& ctx, const LoadChanged& event) {
  Limiter& limiter = ctx.state.limiter;
  if (limiter.load == event.load) return;
  limiter.load = event.load;
  ctx.moved = true;
  limiter.load_why = base::clip(event.why, 200);
  if (event.load == Load::critical) halve_total(ctx);
}

void watch_models(Context& ctx, bool soon) {
  Limiter& limiter = ctx.state.limiter;
  TimeMs due = soon ? ctx.now_ms : 0;
  for (const ModelLoad& load : limiter.models) {
    if (load.not_before_ms > ctx.now_ms && (due == 0 || load.not_before_ms < due))
      due = load.not_before_ms;
  }
  const TimeMs lapses_ms = reservation_lapses_ms(ctx);
  if (lapses_ms > 0 && (due == 0 || lapses_ms < due)) due = lapses_ms;
  if (due == 0 || (limiter.timer != 0 && limiter.timer_at_ms == due)) return;
  ctx.cancel_timer(limiter.timer);
  limiter.timer = ctx.start_timer(due - ctx.now_ms);
  limiter.timer_at_ms = due;
}

void on_limiter_timer(Context& ctx) {
  ctx.state.limiter.timer = 0;
  ctx.moved = true;
  let_reservations_lapse(ctx);
}

void end_cooldowns(Context& ctx) {
  for (ModelLoad& load : ctx.state.limiter.models) {
    if (load.not_before_ms > ctx.now_ms) continue;
    if (load.not_before_ms > ctx.state.updated_at) ctx.moved = true;  // since the event before
    if (load.breaker != Breaker::open) continue;
    load.breaker = Breaker::half_open;
    ctx.moved = true;
  }
}

void forget_cooldowns(State& state) {
  for (ModelLoad& load : state.limiter.models) {
    load.breaker = Breaker::closed;
    load.failures = load.trips = 0;
    load.refused = false;
    load.not_before_ms = 0;
  }
}

std::string models_line(const State& state) {
  std::string text;
  for (const ModelLoad& load : state.limiter.models) {
    if (load.breaker == Breaker::closed && load.ceiling == 0) continue;
    text += (text.empty() ? "" : "; ") + named(load.model) + ": ";
    text += load.breaker == Breaker::closed
                ? std::to_string(load.limit) + " at once"
                : "does not answer (" + base::clip(load.error, 80) + ")";
  }
  if (state.limiter.load != Load::calm) {
    text += std::string(text.empty() ? "" : "; ") + "the machine is busy (" +
            base::clip(state.limiter.load_why, 80) + ")";
  }
  return text;
}

}  // namespace orchestrator::core
