# SPDX-License-Identifier: LGPL-2.1-or-later
# What `make install` installs, and where. Only what exists is installed; the manifest that CMake writes is what
# scripts/uninstall.sh removes.
foreach(program IN ITEMS cgmanager cgproxy)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION "${CMAKE_INSTALL_SBINDIR}")
  endif()
endforeach()
foreach(program IN ITEMS cgm cgrun cgrun-bus)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  endif()
endforeach()

# docs/man/NAME.SECTION
file(GLOB pages CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/docs/man/*.[1-8]")
foreach(page IN LISTS pages)
  string(REGEX REPLACE "^.*\\." "" section "${page}")
  install(FILES "${page}" DESTINATION "${CMAKE_INSTALL_MANDIR}/man${section}")
endforeach()

# Completions, under the names that the shells look for.
set(completions "${CMAKE_SOURCE_DIR}/completions")
if(EXISTS "${completions}/cgm.bash")
  install(FILES "${completions}/cgm.bash" DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" RENAME cgm)
endif()
if(EXISTS "${completions}/_cgm")
  install(FILES "${completions}/_cgm" DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/site-functions")
endif()

# An example beside the other pages: the daemon reads /etc/cgmanager/cgmanager.conf, which is the administrator's.
if(EXISTS "${CMAKE_SOURCE_DIR}/docs/cgmanager.conf.example")
  install(FILES "${CMAKE_SOURCE_DIR}/docs/cgmanager.conf.example" DESTINATION
          "${CMAKE_INSTALL_DATADIR}/doc/cgmanager/examples" RENAME cgmanager.conf)
endif()
foreach(page IN ITEMS README.md CHANGELOG.md SECURITY.md LICENSE)
  if(EXISTS "${CMAKE_SOURCE_DIR}/${page}")
    install(FILES "${CMAKE_SOURCE_DIR}/${page}" DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/cgmanager")
  endif()
endforeach()
