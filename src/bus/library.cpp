// SPDX-License-Identifier: LGPL-2.1-or-later
// dlopen of sd-bus.
#include "bus/library.hpp"

#include <dlfcn.h>

namespace cgm::bus {

namespace {

template <class F>
bool find(void* handle, const char* name, F& function) {
  function = reinterpret_cast<F>(::dlsym(handle, name));
  return function != nullptr;
}

Result<Library> load_now() {
  void* handle = nullptr;
  for (const char* name : {"libsystemd.so.0", "libelogind.so.0"})
    if ((handle = ::dlopen(name, RTLD_NOW | RTLD_LOCAL)) != nullptr) break;
  if (!handle) return fail(ErrorKind::unsupported, "neither libsystemd.so.0 nor libelogind.so.0 can be loaded");
  Library library{};
  bool whole = find(handle, "sd_bus_new", library.bus_new) && find(handle, "sd_bus_set_fd", library.set_fd) &&
               find(handle, "sd_bus_set_anonymous", library.set_anonymous) &&
               find(handle, "sd_bus_start", library.start) && find(handle, "sd_bus_close_unref", library.close_unref) &&
               find(handle, "sd_bus_call", library.call) && find(handle, "sd_bus_error_free", library.error_free) &&
               find(handle, "sd_bus_message_new_method_call", library.message_new_method_call) &&
               find(handle, "sd_bus_message_append_basic", library.append_basic) &&
               find(handle, "sd_bus_message_read_basic", library.read_basic) &&
               find(handle, "sd_bus_message_read_array", library.read_array) &&
               find(handle, "sd_bus_message_enter_container", library.enter_container) &&
               find(handle, "sd_bus_message_exit_container", library.exit_container) &&
               find(handle, "sd_bus_message_unref", library.message_unref) &&
               find(handle, "sd_bus_message_get_signature", library.message_get_signature);
  if (!whole) return fail(ErrorKind::unsupported, "sd-bus of the installed library is too old");
  return library;
}

}  // namespace

Result<const Library*> Library::load() {
  static const Result<Library> library = load_now();
  if (!library) return fail(Error(library.error()));
  return &*library;
}

}  // namespace cgm::bus
