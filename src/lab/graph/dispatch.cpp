// Calls ATen operators by name through libtorch's dispatcher, which tch has no door to. Every function catches what
// libtorch throws: an exception must not cross into Rust. Each returns 0, or 1 with the reason in `why`, cut to `length`
// bytes.

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>
#include <ATen/ScalarOps.h>
#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <optional>
#include <string>
#include <vector>

namespace {

// What a slot holds; the same numbers as in call.rs.
enum Kind : int32_t { none = 0, tensor = 1, tensors = 2, whole = 3, wholes = 4, real = 5, reals = 6, truth = 7, truths = 8, text = 9, device = 10 };

// An argument, or a result: a number, or `count` things at `data`. Tensors are pointers, null for an absent one.
struct Slot {
  int32_t kind;
  int64_t whole;
  double real;
  const void* data;
  size_t count;
};

void copy(const std::string& message, char* into, size_t length) {
  if (length == 0) return;
  const size_t count = message.size() < length - 1 ? message.size() : length - 1;
  std::memcpy(into, message.data(), count);
  into[count] = '\0';
}

template <typename Action>
int guarded(char* why, size_t length, Action action) noexcept {
  try {
    action();
    return 0;
  } catch (const c10::Error& error) {
    copy(error.what_without_backtrace(), why, length);
  } catch (const std::exception& error) {
    copy(error.what(), why, length);
  } catch (...) {
    copy("an unknown exception", why, length);
  }
  return 1;
}

c10::TypePtr required(c10::TypePtr type) {
  while (type->kind() == c10::TypeKind::OptionalType) type = type->expect<c10::OptionalType>()->getElementType();
  return type;
}

// The type of a list's elements; null for what is no list.
c10::TypePtr element(const c10::TypePtr& type) {
  const c10::TypePtr list = required(type);
  return list->kind() == c10::TypeKind::ListType ? list->expect<c10::ListType>()->getElementType() : nullptr;
}

// Python hands a number as a tensor where the operator wants one, of a type that gives way to other tensors' types.
at::Tensor wrapped(const c10::Scalar& number) {
  at::Tensor tensor = c10::scalar_to_tensor(number);
  tensor.unsafeGetTensorImpl()->set_wrapped_number(true);
  return tensor;
}

template <typename Value, typename Element>
c10::IValue list(const Slot& slot) {
  c10::List<Value> values;
  values.reserve(slot.count);
  const auto* data = static_cast<const Element*>(slot.data);
  for (size_t i = 0; i < slot.count; ++i) values.push_back(static_cast<Value>(data[i]));
  return values;
}

c10::IValue list_of_tensors(const Slot& slot, const c10::TypePtr& type) {
  const auto* data = static_cast<const at::Tensor* const*>(slot.data);
  const c10::TypePtr of = element(type);
  if (of && of->kind() == c10::TypeKind::OptionalType) {
    c10::List<std::optional<at::Tensor>> values;
    for (size_t i = 0; i < slot.count; ++i) {
      values.push_back(data[i] == nullptr ? std::nullopt : std::optional<at::Tensor>(*data[i]));
    }
    return values;
  }
  c10::List<at::Tensor> values;
  for (size_t i = 0; i < slot.count; ++i) {
    TORCH_CHECK(data[i] != nullptr, "a tensor of a list is absent");
    values.push_back(*data[i]);
  }
  return values;
}

c10::IValue value(const Slot& slot, const c10::TypePtr& type) {
  const c10::TypeKind wanted = required(type)->kind();
  const bool is_tensor = wanted == c10::TypeKind::TensorType;
  const c10::TypePtr of = element(type);
  switch (slot.kind) {
    case none:
      return c10::IValue();
    case tensor:
      return *static_cast<const at::Tensor*>(slot.data);
    case tensors:
      return list_of_tensors(slot, type);
    case whole:
      if (is_tensor) return wrapped(slot.whole);
      if (wanted == c10::TypeKind::FloatType) return static_cast<double>(slot.whole);
      return slot.whole;
    case wholes:
      if (of && of->kind() == c10::TypeKind::FloatType) return list<double, int64_t>(slot);
      // an empty list is written as one of whole numbers, whatever it is a list of
      if (slot.count == 0 && of && of->kind() == c10::TypeKind::TensorType) return c10::List<at::Tensor>();
      return list<int64_t, int64_t>(slot);
    case real:
      if (is_tensor) return wrapped(slot.real);
      return slot.real;
    case reals:
      return list<double, double>(slot);
    case truth:
      if (is_tensor) return wrapped(slot.whole != 0);
      return slot.whole != 0;
    case truths:
      return list<bool, uint8_t>(slot);
    case text:
      return std::string(static_cast<const char*>(slot.data), slot.count);
    case device:
      return slot.whole < 0 ? c10::Device(c10::kCPU) : c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(slot.whole));
    default:
      TORCH_CHECK(false, "an argument of the unknown kind ", slot.kind);
  }
}

// Rust takes the results one by one; a tensor becomes the caller's own.
using Take = void (*)(void* context, Slot result);

at::Tensor* owned(const at::Tensor& tensor) { return new at::Tensor(tensor); }

void give(const c10::IValue& result, void* context, Take take) {
  if (result.isNone()) {
    take(context, Slot{none, 0, 0, nullptr, 0});
  } else if (result.isTensor()) {
    take(context, Slot{tensor, 0, 0, owned(result.toTensor()), 1});
  } else if (result.isTensorList()) {
    const std::vector<at::Tensor> all = result.toTensorVector();
    std::vector<at::Tensor*> pointers;
    for (const at::Tensor& one : all) pointers.push_back(owned(one));
    take(context, Slot{tensors, 0, 0, pointers.data(), pointers.size()});
  } else if (result.isBool()) {
    take(context, Slot{truth, result.toBool() ? 1 : 0, 0, nullptr, 0});
  } else if (result.isInt() || result.isSymInt()) {
    take(context, Slot{whole, result.toInt(), 0, nullptr, 0});
  } else if (result.isDouble()) {
    take(context, Slot{real, 0, result.toDouble(), nullptr, 0});
  } else {
    TORCH_CHECK(false, "a result of the type ", result.tagKind(), ", which is no tensor and no number");
  }
}

}  // namespace

// Finds an operator; `handle` is to be given back to medcert_operator_free.
extern "C" int medcert_operator_find(const char* name, const char* overload, void** handle, char* why,
                                     size_t length) noexcept {
  return guarded(why, length, [&] {
    const auto found = c10::Dispatcher::singleton().findSchemaOrThrow(name, overload);
    *handle = new c10::OperatorHandle(found);
  });
}

extern "C" void medcert_operator_free(void* handle) noexcept { delete static_cast<c10::OperatorHandle*>(handle); }

// Whether an operator takes a generator, a storage or a stream, or may draw random numbers: bits 1 and 2.
extern "C" int medcert_operator_facts(const void* handle, int* facts, char* why, size_t length) noexcept {
  return guarded(why, length, [&] {
    const auto& found = *static_cast<const c10::OperatorHandle*>(handle);
    *facts = 0;
    for (const c10::Argument& argument : found.schema().arguments()) {
      const c10::TypeKind kind = required(argument.type())->kind();
      if (kind == c10::TypeKind::GeneratorType || kind == c10::TypeKind::StorageType ||
          kind == c10::TypeKind::StreamObjType) {
        *facts |= 1;
      }
    }
    if (found.hasTag(at::Tag::nondeterministic_seeded)) *facts |= 2;
  });
}

// Calls an operator with arguments by the names of its schema; what is left out takes the schema's value.
extern "C" int medcert_operator_call(const void* handle, const char* const* names, const Slot* slots, size_t count,
                                     void* context, Take take, char* why, size_t length) noexcept {
  return guarded(why, length, [&] {
    const auto& found = *static_cast<const c10::OperatorHandle*>(handle);
    const c10::FunctionSchema& schema = found.schema();
    std::vector<c10::IValue> stack;
    stack.reserve(schema.arguments().size());
    size_t used = 0;
    for (const c10::Argument& argument : schema.arguments()) {
      size_t given = 0;
      while (given < count && argument.name() != names[given]) ++given;
      if (given < count) {
        ++used;
        stack.push_back(value(slots[given], argument.real_type()));
      } else {
        TORCH_CHECK(argument.default_value().has_value(), "the argument ", argument.name(), " is missing");
        stack.push_back(*argument.default_value());
      }
    }
    TORCH_CHECK(used == count, "an argument has no name of ", schema);
    schema.checkAndNormalizeInputs(stack, {});
    found.callBoxed(stack);
    for (const c10::IValue& result : stack) give(result, context, take);
  });
}
