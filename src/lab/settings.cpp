// What tch has no switch for. Every function catches what libtorch throws: an exception must not cross into
// Rust. Each returns 0, or 1 with the reason in `why`, cut to `length` bytes.

#include <ATen/Context.h>
#include <ATen/Version.h>

#include <climits>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>

#ifdef __GLIBC__
#include <malloc.h>
#endif
#ifdef __linux__
#include <dlfcn.h>
#include <unistd.h>
#endif

#if defined(__GLIBC__) && defined(__linux__)
namespace {

// Two libraries read the environment once, when they are loaded, which is before main; .preinit_array alone comes earlier.
// libc takes its environment from the kernel after that, so a variable that is set here would be lost: the program starts
// itself again with the variables instead, which costs milliseconds, since nothing has been initialised. What the user has
// set wins, and where the program cannot start again it goes on with the libraries' own defaults.
//
// How threads of libgomp wait for each other: by default they spin for milliseconds, which starves whatever shares their
// cores: another process, or the other threads of this one under a quota. A few microseconds keep what is fast on a quiet
// machine and cost a busy one little.
constexpr char spin_count[] = "GOMP_SPINCOUNT=2000";
// How MKL multiplies matrices on processors without AVX-512: by default its last bits there depend on where in memory a
// matrix lies and on the number of threads, so that equal inputs have other answers from run to run. In this mode they do
// not. With AVX-512 they did not differ without it, and PyTorch's own bits are kept.
constexpr char same_bits[] = "MKL_CBWR=AVX2,STRICT";
constexpr int most_variables = 4096;

bool sets(const char* variable, const char* name) {
  const size_t length = std::strlen(name);
  return std::strncmp(variable, name, length) == 0 && variable[length] == '=';
}

bool needs_same_bits() {
#ifdef __x86_64__
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && !__builtin_cpu_supports("avx512f");
#else
  return false;
#endif
}

void choose_variables(int, char** arguments, char** environment) {
  static char* extended[most_variables + 3];
  bool spins = true;
  bool repeats = needs_same_bits();
  int count = 0;
  for (; environment[count] != nullptr; ++count) {
    if (count == most_variables) return;
    if (sets(environment[count], "OMP_WAIT_POLICY") || sets(environment[count], "GOMP_SPINCOUNT")) spins = false;
    if (sets(environment[count], "MKL_CBWR")) repeats = false;
    extended[count] = environment[count];
  }
  if (!spins && !repeats) return;
  if (spins) extended[count++] = const_cast<char*>(spin_count);
  if (repeats) extended[count++] = const_cast<char*>(same_bits);
  static char program[PATH_MAX + 1];
  // the program's own path and not /proc/self/exe, which `ps` would show as its name
  if (readlink("/proc/self/exe", program, PATH_MAX) > 0) execve(program, arguments, extended);
}

__attribute__((section(".preinit_array"), used)) void (*const before_libgomp)(int, char**, char**) =
    choose_variables;

}  // namespace
#endif

namespace {

void copy(const std::string& text, char* into, size_t length) {
  if (length == 0) return;
  const size_t count = text.size() < length - 1 ? text.size() : length - 1;
  std::memcpy(into, text.data(), count);
  into[count] = '\0';
}

template <typename Action>
int guarded(char* why, size_t length, Action action) noexcept {
  try {
    action();
    return 0;
  } catch (const std::exception& error) {
    copy(error.what(), why, length);
  } catch (...) {
    copy("an unknown exception", why, length);
  }
  return 1;
}

}  // namespace

extern "C" int medcert_settle(char* why, size_t length) noexcept {
  return guarded(why, length, [] {
    at::Context& context = at::globalContext();
    // cuBLAS sums in one order only with a workspace of fixed size, asked for before its first use
    setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
    // an operation that has no deterministic form on a device warns, and does not fail
    context.setDeterministicAlgorithms(true, /*warn_only=*/true);
    context.setDeterministicFillUninitializedMemory(false);
    context.setBenchmarkCuDNN(false);
    context.setAllowTF32CuBLAS(false);
    context.setAllowTF32CuDNN(false);
  });
}

// Keeps freed memory: otherwise every large tensor is mapped and returned, and its pages fault at every step.
extern "C" int medcert_keep_memory(void) noexcept {
#ifdef __GLIBC__
  return mallopt(M_MMAP_MAX, 0) == 1 && mallopt(M_TRIM_THRESHOLD, INT_MAX) == 1 ? 0 : 1;
#else
  return 1;
#endif
}

// The name of a GPU. The driver is asked, which libtorch has loaded by then: libtorch itself tells names only to who
// has the headers of CUDA.
extern "C" int medcert_gpu_name(int number, char* name, int length) noexcept {
#ifdef __linux__
  void* driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_NOLOAD);
  if (driver == nullptr) return 1;
  const auto get = reinterpret_cast<int (*)(int*, int)>(dlsym(driver, "cuDeviceGet"));
  const auto tell = reinterpret_cast<int (*)(char*, int, int)>(dlsym(driver, "cuDeviceGetName"));
  int device = 0;
  const bool is_told = get != nullptr && tell != nullptr && get(&device, number) == 0 &&
                       tell(name, length, device) == 0;
  dlclose(driver);
  return is_told ? 0 : 1;
#else
  return 1;
#endif
}

extern "C" int medcert_cpu_capability(char* why, size_t length) noexcept {
  return guarded(why, length, [&] { copy(at::get_cpu_capability(), why, length); });
}
