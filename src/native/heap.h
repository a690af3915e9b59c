#pragma once
#include <stddef.h>
#include "quickjs.h"

extern const JSMallocFunctions heap_functions;
