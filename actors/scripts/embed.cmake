# SPDX-License-Identifier: MIT
# Makes a C fragment of the Lua scripts: cmake -D OUTPUT=FILE -P embed.cmake SCRIPT.lua…
# Bytes, not a string literal: C11 promises only 4095 characters of one.
set(text "/* Made by embed.cmake from the .lua files: do not edit. */\n")
set(index 0)
while(index LESS CMAKE_ARGC)
  set(script "${CMAKE_ARGV${index}}")
  math(EXPR index "${index} + 1")
  if(NOT script MATCHES "\\.lua$")
    continue()
  endif()
  get_filename_component(name "${script}" NAME_WE)
  file(READ "${script}" bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
  string(APPEND text "static const char s_${name}[] = {\n${bytes}\n};\n")
endwhile()
file(WRITE "${OUTPUT}" "${text}")
