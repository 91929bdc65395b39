print("roost-instance")
