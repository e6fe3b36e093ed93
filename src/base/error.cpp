// SPDX-License-Identifier: LGPL-2.1-or-later
// Texts and kinds of errors.
#include "base/error.hpp"

#include <cstring>

namespace cgm {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::not_found: return "not_found";
    case ErrorKind::exists: return "exists";
    case ErrorKind::denied: return "denied";
    case ErrorKind::invalid: return "invalid";
    case ErrorKind::busy: return "busy";
    case ErrorKind::gone: return "gone";
    case ErrorKind::unsupported: return "unsupported";
    case ErrorKind::quota: return "quota";
    case ErrorKind::timeout: return "timeout";
    case ErrorKind::protocol: return "protocol";
    case ErrorKind::os: return "os";
  }
  return "os";
}

ErrorKind kind_of_errno(int err) {
  switch (err) {
    case ENOENT:
    case ENOTDIR: return ErrorKind::not_found;
    case EEXIST: return ErrorKind::exists;
    case EACCES:
    case EPERM:
    case EROFS:
    case EXDEV:
    case ELOOP: return ErrorKind::denied;
    case EINVAL:
    case ERANGE:
    case ENAMETOOLONG: return ErrorKind::invalid;
    case EBUSY:
    case ENOTEMPTY:
    case EAGAIN: return ErrorKind::busy;
    case ESRCH:
    case ENODEV: return ErrorKind::gone;
    case ENOSYS:
    case EOPNOTSUPP: return ErrorKind::unsupported;
    case EMFILE:
    case ENFILE:
    case ENOSPC:
    case EDQUOT: return ErrorKind::quota;
    case ETIMEDOUT:
    case EINTR: return ErrorKind::timeout;
    case EPROTO:
    case EBADMSG: return ErrorKind::protocol;
    default: return ErrorKind::os;
  }
}

Error Error::from_errno(int err, std::string_view call, std::string_view argument) {
  std::string text(call);
  if (!argument.empty()) text.append(" \"").append(argument).append("\"");
  char buffer[128];
  text.append(": ").append(strerror_r(err, buffer, sizeof buffer));
  return Error(kind_of_errno(err), err, std::move(text));
}

Error Error::with(std::string_view context) && {
  std::string text(context);
  text.append(": ").append(text_);
  return Error(kind_, errno_, std::move(text));
}

}  // namespace cgm
