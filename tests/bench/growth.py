def draw(place, folder): pass
