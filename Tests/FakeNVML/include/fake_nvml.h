#pragma once
// Its functions are found by name, as those of the real library are.
