# What `cmake --install` lays out, and the Debian package that `cmake --build BUILD --target package` makes of it (docs/operations.md).
include(GNUInstallDirs)

# The man page and the completion are made by the program from its own table of commands.
set(described "${CMAKE_BINARY_DIR}/described")
add_custom_command(OUTPUT "${described}/retromass.1" "${described}/retromass.bash"
  COMMAND "${CMAKE_COMMAND}" -E make_directory "${described}"
  COMMAND retromass describe man > "${described}/retromass.1"
  COMMAND retromass describe bash > "${described}/retromass.bash"
  DEPENDS retromass VERBATIM)
# What it is linked with, compiled with and embeds, by package, version and licence: as this machine has it.
add_custom_command(OUTPUT "${described}/sbom.spdx.json"
  COMMAND /usr/bin/python3 "${PROJECT_SOURCE_DIR}/tools/write_sbom.py" "$<TARGET_FILE:retromass>" ${PROJECT_VERSION} "${described}/sbom.spdx.json"
  DEPENDS retromass "${PROJECT_SOURCE_DIR}/tools/write_sbom.py" VERBATIM)
add_custom_target(described ALL DEPENDS "${described}/retromass.1" "${described}/retromass.bash" "${described}/sbom.spdx.json")

install(TARGETS retromass RUNTIME)
install(FILES "${described}/retromass.1" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
install(FILES "${described}/retromass.bash" DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" RENAME retromass)
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}" RENAME copyright)
install(FILES "${described}/sbom.spdx.json" "${PROJECT_SOURCE_DIR}/NOTICE" "${PROJECT_SOURCE_DIR}/README.md" "${PROJECT_SOURCE_DIR}/CHANGELOG.md" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/docs/" DESTINATION "${CMAKE_INSTALL_DOCDIR}/docs")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME retromass)
set(CPACK_PACKAGE_VENDOR "The Retromass project")
set(CPACK_PACKAGE_CONTACT "The Retromass project <retromass@localhost.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)                      # the libraries, as dpkg-shlibdeps finds them
set(CPACK_DEBIAN_PACKAGE_DEPENDS "fonts-dejavu-core")       # letters of pictures and pages
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "slurm-client, xvfb")     # batch on a cluster; pictures of the viewer without a display
include(CPack)
