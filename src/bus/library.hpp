// SPDX-License-Identifier: LGPL-2.1-or-later
// libsystemd, or libelogind, loaded at the first call to the daemon: a command that works on cgroupfs itself never pays
// for it. The only place that loads it.
#pragma once

#include <systemd/sd-bus.h>

#include "base/error.hpp"

namespace cgm::bus {

/// What a client uses of sd-bus. The library stays loaded for the life of the process.
struct Library {
  decltype(&::sd_bus_new) bus_new;
  decltype(&::sd_bus_set_fd) set_fd;
  decltype(&::sd_bus_set_anonymous) set_anonymous;
  decltype(&::sd_bus_start) start;
  decltype(&::sd_bus_close_unref) close_unref;
  decltype(&::sd_bus_call) call;
  decltype(&::sd_bus_error_free) error_free;
  decltype(&::sd_bus_message_new_method_call) message_new_method_call;
  decltype(&::sd_bus_message_append_basic) append_basic;
  decltype(&::sd_bus_message_read_basic) read_basic;
  decltype(&::sd_bus_message_read_array) read_array;
  decltype(&::sd_bus_message_enter_container) enter_container;
  decltype(&::sd_bus_message_exit_container) exit_container;
  decltype(&::sd_bus_message_unref) message_unref;
  decltype(&::sd_bus_message_get_signature) message_get_signature;

  /// Loads it, once. Errors: unsupported, where neither library is installed.
  static Result<const Library*> load();
};

}  // namespace cgm::bus
