"""Where a target runs: this Linux machine, or an Android device on adb."""
