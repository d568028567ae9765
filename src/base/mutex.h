#pragma once

#include <mutex>
#include <shared_mutex>

// Clang checks the lock discipline at compile time (-Wthread-safety); for other compilers these are
// comments.
#if defined(__clang__)
#define ORCH_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define ORCH_THREAD_ATTRIBUTE(x)
#endif

#define ORCH_CAPABILITY(x) ORCH_THREAD_ATTRIBUTE(capability(x))
#define ORCH_SCOPED_CAPABILITY ORCH_THREAD_ATTRIBUTE(scoped_lockable)
/// On a member: touch it only with that mutex held.
#define ORCH_GUARDED_BY(x) ORCH_THREAD_ATTRIBUTE(guarded_by(x))
/// On a function: call it only with that mutex held.
#define ORCH_REQUIRES(...) ORCH_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define ORCH_ACQUIRE(...) ORCH_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define ORCH_ACQUIRE_SHARED(...) ORCH_THREAD_ATTRIBUTE(acquire_shared_capability(__VA_ARGS__))
#define ORCH_RELEASE(...) ORCH_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
#define ORCH_RELEASE_GENERIC(...) ORCH_THREAD_ATTRIBUTE(release_generic_capability(__VA_ARGS__))

namespace orchestrator::base {

/// An exclusive lock that the compiler can reason about. Not recursive.
class ORCH_CAPABILITY("mutex") Mutex {
 public:
  void lock() ORCH_ACQUIRE() { mutex_.lock(); }
  void unlock() ORCH_RELEASE() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

/// Many readers or one writer.
class ORCH_CAPABILITY("mutex") SharedMutex {
 public:
  void lock() ORCH_ACQUIRE() { mutex_.lock(); }
  void unlock() ORCH_RELEASE() { mutex_.unlock(); }
  void lock_shared() ORCH_ACQUIRE_SHARED() { mutex_.lock_shared(); }
  void unlock_shared() ORCH_RELEASE_GENERIC() { mutex_.unlock_shared(); }

 private:
  std::shared_mutex mutex_;
};

/// Holds a Mutex or, for writing, a SharedMutex, for a scope.
template <class M>
class ORCH_SCOPED_CAPABILITY Lock {
 public:
  explicit Lock(M& mutex) ORCH_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~Lock() ORCH_RELEASE() { mutex_.unlock(); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  M& mutex_;
};

/// Holds a SharedMutex for reading, for a scope.
class ORCH_SCOPED_CAPABILITY ReadLock {
 public:
  explicit ReadLock(SharedMutex& mutex) ORCH_ACQUIRE_SHARED(mutex) : mutex_(mutex) {
    mutex_.lock_shared();
  }
  ~ReadLock() ORCH_RELEASE_GENERIC() { mutex_.unlock_shared(); }
  ReadLock(const ReadLock&) = delete;
  ReadLock& operator=(const ReadLock&) = delete;

 private:
  SharedMutex& mutex_;
};

}  // namespace orchestrator::base
